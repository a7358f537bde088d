import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import axe, { type AxeResults } from 'axe-core'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
// Tests run as root in containers, where Chromium has no sandbox, and it asks for nothing but pages of the test.
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server']
/** Of a crowded machine. */
export const PATIENCE_MS = 120_000

/** A browser without a screen; skips what needs it where there is none, and says so. */
export async function openChromium (context: Mocha.Context): Promise<Browser> {
  const executablePath = PLACES.find(existsSync)
  if (executablePath == null) {
    console.log('      skipped: no Chromium on this machine (Debian package chromium)')
    return context.skip()
  }
  return await puppeteer.launch({ executablePath, args: ARGS, timeout: PATIENCE_MS, protocolTimeout: PATIENCE_MS })
}

/** What a browser complains about on a page from now on: scripts, styles and images that its policy forbids among it. */
export function complaintsOf (page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()) })
  page.on('pageerror', (error) => { complaints.push(String(error)) })
  return complaints
}

/** What of WCAG 2.2 AA and of usual practice a page does not keep, in the colours and at the width that it has now: rule and place. */
export async function barriersOn (page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate('axe.run()') as AxeResults
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

/** For a person to look at: into the folder that the environment names, if any. */
export async function picture (page: Page, name: string): Promise<void> {
  const folder = process.env['CONSILIUM_SCREENSHOTS']
  if (folder == null) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
