import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { writeFileSafely } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { requireKnownHome } from '../../home/version.ts'
import { answerUntilStopped, requirePort } from '../answering.ts'
import { askSite } from '../ask-site.ts'
import { command, withFlags } from '../flags.ts'
import { ownMember } from '../members-of-home.ts'
import { homeFlag, jsonFlag, print, warn } from '../output.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  port: { type: 'number', describe: 'port to listen on, on this machine alone; 0 for any that is free', default: 0 },
  open: { type: 'boolean', describe: 'open it in a browser where there is a screen; --no-open prints the address alone', default: true }
} as const

export const page = command({
  command: 'page',
  describe: 'show this site in a browser on this machine: rounds, hospitals, Dice, images, warnings and what to do',
  builder: (argv) => withFlags(argv, flags),
  handler: async ({ home, json, port, open }) => {
    process.umask(0o077)
    await requireKnownHome(home)
    requirePort(port)
    // Before anything is shown: a home that is none is said here.
    await ownMember(home)
    const { PageServer } = await import('../../page/server.ts')
    const server = await PageServer.start({ home, port, ask: askSite(home), onFailure: warn })
    print(json, { url: server.url }, `open ${server.url} in a browser on this machine; Ctrl-C ends it`)
    const folder = open && hasScreen() ? sitePaths(home).privateStore : undefined
    const opener = folder == null ? undefined : await openInBrowser(folder, server.url)
    try {
      await answerUntilStopped(server)
    } finally {
      if (opener != null) await rm(opener, { force: true })
    }
  }
})

function hasScreen (): boolean {
  return [process.env['DISPLAY'], process.env['WAYLAND_DISPLAY']].some((each) => each != null && each !== '')
}

/** By a file for this user alone: what stands in a command line, other users of the machine can see. Returns the file. */
async function openInBrowser (folder: string, url: string): Promise<string> {
  const file = join(folder, 'page.html')
  await writeFileSafely(file, `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${url}"><a href="${url}">The page of this site</a>\n`)
  const child = spawn('xdg-open', [pathToFileURL(file).href], { stdio: 'ignore', detached: true })
  // The address is printed all the same.
  child.on('error', () => {})
  child.unref()
  return file
}
