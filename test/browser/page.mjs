/** Opens a page in Chromium and hears what it reports, and what its console complains about. */
import { chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../support/chromium.mjs';

export async function openBrowser() {
  const executablePath = findChromium();
  if (!executablePath)
    throw new Error('no Chromium found: run `npm run setup -- --for test`, or set CHROMIUM_PATH');
  return chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
}

/** A missing file is for the code that asked to report; Chromium writes it to the console in any case. */
const HARMLESS = /^Failed to load resource/;
/** Chromium files WebGPU's uncaptured errors under warnings. */
const WEBGPU_ERROR = /WGSL|\bvalidation\b|\[Invalid \w+|While calling \[|Destroyed \w+ used/i;

/**
 * Loads the address and waits until `finished()` resolves or the page dies.
 * @returns { lines: what the page logged, complaints: its errors }
 */
export async function watchPage(browser, address, { bindings = {}, finished, limitMs }) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const lines = [];
  const complaints = [];
  page.on('console', (message) => {
    const [type, text] = [message.type(), message.text()];
    if (type === 'error' && !HARMLESS.test(text)) complaints.push(text);
    else if (type === 'warning' && WEBGPU_ERROR.test(text)) complaints.push(text);
    else if (type === 'log') lines.push(text);
  });
  for (const [name, take] of Object.entries(bindings)) await page.exposeFunction(name, take);
  let timer;
  try {
    const dies = new Promise((_, reject) => {
      page.on('crash', () => reject(new Error('the page crashed')));
      page.on('pageerror', (error) => reject(new Error(`the page threw: ${error.stack ?? error.message}`)));
      timer = setTimeout(() => reject(new Error(`the page was not done after ${limitMs / 1000} s`)), limitMs);
    });
    dies.catch(() => {}); // it may lose the race below
    await page.goto(address, { timeout: limitMs });
    await Promise.race([finished(page), dies]);
  } finally {
    clearTimeout(timer);
    await context.close();
  }
  return { lines, complaints };
}
