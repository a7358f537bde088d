import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const LIMIT_MS = 10_000

// Root stays root and reads what other users own; anybody else needs a namespace of users to make one of networks.
const FLAGS = process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-current-user', '--net']

/**
 * Words that, put before a command line, run it in a namespace without any network; undefined where the system makes none for this user.
 * The process is the same one: pid, signals and open files are its own.
 */
export async function withoutNetwork (): Promise<readonly string[] | undefined> {
  const words = ['unshare', ...FLAGS, '--']
  return await promisify(execFile)(words[0]!, [...words.slice(1), process.execPath, '--version'], { timeout: LIMIT_MS })
    .then(() => words, () => undefined)
}
