#!/usr/bin/env bash
# Runs tests under another version of Node, which npm brings: tools/package/on-node.sh MAJOR [vitest arguments]
set -euo pipefail
cd "$(dirname "$0")/../.."
major=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The package with the binary itself: `node` fetches it by an install script, which npm 12 does not run.
package=node-$(node -p '`${process.platform}-${process.arch}`')
npm install --silent --no-save --ignore-scripts --prefix "$folder" "$package@$major"
# First in PATH, so that the processes that tests start are of that version too.
export PATH="$folder/node_modules/$package/bin:$PATH"
echo "Node $(node --version)"
node node_modules/vitest/vitest.mjs run "$@"
