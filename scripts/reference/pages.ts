import { join } from 'node:path'
import { apiPage } from './api-page.ts'
import { cliPage } from './cli-page.ts'
import { readCommands } from './commands.ts'
import { readExports } from './exports.ts'
import { methodsPage } from './methods-page.ts'
import { settingsPage } from './settings-page.ts'

/** The files of docs/reference and what they hold. */
export async function readPages (): Promise<Record<string, string>> {
  const commands = await readCommands()
  const api = apiPage(readExports(join(import.meta.dirname, '../..')))
  return { 'settings.md': settingsPage(commands), 'cli.md': cliPage(commands), 'methods.md': methodsPage(), 'api.md': api }
}
