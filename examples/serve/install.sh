#!/bin/sh
# Puts a server into an empty folder: the package, the built-in model compiled, settings, and a small store to try it with.
# Needs Node 20 or newer and an npm registry, and nothing else. Run it again to go on where it stopped.
#
#   sh install.sh [folder]                         # then: cd folder && npx dkv serve --config serve.yaml
#   DKV_PACKAGE=./directed-kvcache-0.1.0.tgz sh install.sh server
set -eu
folder=${1:-dkv-server}
package=${DKV_PACKAGE:-directed-kvcache}
case $package in *.tgz) package=$(cd "$(dirname "$package")" && pwd)/$(basename "$package") ;; esac
mkdir -p "$folder" && cd "$folder"
# CUDA's libraries are fetched by the runtime's install script, from elsewhere; a server on a CPU does without.
export ONNXRUNTIME_NODE_INSTALL=skip
export DKV_CACHE="${DKV_CACHE:-$PWD/cache}"
[ -f package.json ] || printf '{ "name": "dkv-server", "private": true }\n' >package.json
[ -d node_modules/directed-kvcache ] || npm install --omit=dev --no-audit --no-fund "$package"
[ -d ads ] || npx dkv data adworld --count "${DKV_EXAMPLE_DOCUMENTS:-200}" | npx dkv prime --input - --store ads
[ -f serve.yaml ] || cat >serve.yaml <<'YAML'
store: ads
listen:
  host: 127.0.0.1
  port: 8080
limits:
  documents: 1000
deadline:
  ms: 2000
housekeeping:
  gc_hours: 24
YAML
echo "Ready: cd $folder && DKV_CACHE=$DKV_CACHE npx dkv serve --config serve.yaml"
