// Open pages follow the chain: every page is opened, then a line on stdin says which block has just been taken in, and every page
// must show it in time. Usage: live.mjs URL MILLISECONDS WORDS PAGES; prints "open" when all pages are.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [url, most, words, list] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const open = [];
for (const path of JSON.parse(list)) {
  // Each in a window of its own: pages in the background are not read again.
  const page = await (await browser.newContext()).newPage();
  const streaming = page.waitForResponse((answer) => answer.url().includes("/v1/stream"));
  await page.goto(url + path, { waitUntil: "load" });
  await streaming;
  if ((await page.content()).includes(words)) throw new Error(`${path} shows \`${words}\` before the event`);
  open.push({ path, page });
}
console.log("open");
await once(createInterface({ input: process.stdin }), "line");
const begun = Date.now();
const late = [];
await Promise.all(
  open.map(async ({ path, page }) => {
    try {
      await page.waitForFunction((text) => document.body.textContent.includes(text), words, { timeout: Number(most), polling: 20 });
    } catch {
      late.push(path);
    }
  }),
);
console.log(`${open.length - late.length} pages within ${Date.now() - begun} ms`);
await browser.close();
for (const path of late) console.log(`late: ${path}`);
process.exit(late.length === 0 ? 0 : 1);
