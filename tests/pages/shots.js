// Takes pictures of pages to look at: node shots.js ADDRESS FOLDER [filter]
import { mkdirSync } from "node:fs";
import { browser, enter, PAGES } from "./walk.js";

const [address, folder, filter = ""] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const chromium = await browser();
for (const [width, scheme] of [[360, "light"], [360, "dark"], [1280, "light"], [1280, "dark"]]) {
  const context = await chromium.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
  const page = await context.newPage();
  await enter(page, address);
  for (const tongue of ["en", "ja"]) {
    for (const [name, path] of Object.entries(PAGES)) {
      if (!`${name}-${tongue}-${width}-${scheme}`.includes(filter)) continue;
      await page.goto(`${address}/${tongue}/${path}`);
      await page.screenshot({ path: `${folder}/${name}-${tongue}-${width}-${scheme}.png`, fullPage: true });
    }
    if (!`answers-${tongue}-${width}-${scheme}`.includes(filter)) continue;
    await page.goto(`${address}/${tongue}/${PAGES.register}`);
    await page.click("main form button");
    await page.waitForURL(`**/${tongue}/register`);
    await page.screenshot({ path: `${folder}/answers-${tongue}-${width}-${scheme}.png`, fullPage: true });
  }
  await context.close();
}
await chromium.close();
