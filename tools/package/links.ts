/** Relative links and images of Markdown pages that lead to no file. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const LINK = /\]\(([^)\s]+)\)/g;

/** `page: target` for every link of a folder's pages (those of its packages aside) that leads nowhere or out of the folder. */
export function brokenLinks(root: string): string[] {
  const pages = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.md') && !file.split(path.sep).includes('node_modules'),
  );
  return pages.flatMap((page) => {
    // Code is no place of links.
    const text = readFileSync(path.join(root, page), 'utf8')
      .replace(/^```[\s\S]*?^```$/gm, '')
      .replace(/`[^`\n]*`/g, '');
    return [...text.matchAll(LINK)].flatMap(([, target]) => {
      const [file] = target!.split('#') as [string];
      if (file === '' || /^[a-z]+:/.test(file)) return [];
      const at = path.resolve(root, path.dirname(page), decodeURI(file));
      return at.startsWith(path.resolve(root) + path.sep) && existsSync(at) ? [] : [`${page}: ${target}`];
    });
  });
}
