/** What a site needs from its machine besides arithmetic. */
import { once } from 'node:events'
import { access, constants, mkdtemp, rm, stat, statfs } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { isMissing } from '../../home/files.ts'

export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

const LEAST_DISK = 2e9
const LEAST_NODE = 22
const DAY_MS = 86_400_000
const LISTEN_MS = 5_000

export interface MachineFacts {
  readonly home: string
  /** Milliseconds since the epoch, as the machine has it. */
  readonly now: number
  readonly nodeVersion: string
}

export async function checkMachine ({ home, now, nodeVersion }: MachineFacts): Promise<Check[]> {
  return [
    checkNode(nodeVersion),
    await attempt('home', async () => await checkHome(home)),
    await attempt('disk', async () => await checkDisk(home)),
    await attempt('listen', checkListen),
    await attempt('clock', async () => checkClock(now, (await stat(import.meta.filename)).mtimeMs))
  ]
}

/** A check that cannot be made is one that fails. */
async function attempt (name: string, check: () => Promise<Check>): Promise<Check> {
  try {
    return await check()
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) }
  }
}

export function checkNode (version: string): Check {
  const ok = Number.parseInt(version) >= LEAST_NODE
  return {
    name: 'node',
    ok,
    detail: ok ? version : `${version} is too old: run with npx or npm, which use the Node that is installed with it`
  }
}

/** Writes in the home folder, or asks whether it could be made. */
async function checkHome (home: string): Promise<Check> {
  const folder = await nearest(home)
  try {
    if (folder === home) await rm(await mkdtemp(join(home, '.doctor-')), { recursive: true })
    else await access(folder, constants.W_OK)
    return { name: 'home', ok: true, detail: folder === home ? `${home} can be written` : `${home} does not exist yet and can be made` }
  } catch {
    return {
      name: 'home',
      ok: false,
      detail: `${folder} cannot be written by this user: change its owner, or name another folder with --home`
    }
  }
}

async function nearest (path: string): Promise<string> {
  try {
    await stat(path)
    return path
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error
    return await nearest(dirname(path))
  }
}

async function checkDisk (home: string): Promise<Check> {
  const { bavail, bsize } = await statfs(await nearest(home))
  const free = bavail * bsize
  const detail = `${(free / 1e9).toFixed(1)} GB free`
  return {
    name: 'disk',
    ok: free >= LEAST_DISK,
    detail: free >= LEAST_DISK ? detail : `${detail}: keep ${LEAST_DISK / 1e9} GB free for adapters and logs`
  }
}

/** Opens a port on loopback and calls itself. */
async function checkListen (): Promise<Check> {
  const server = createServer((socket) => { socket.end() }).listen(0, '127.0.0.1')
  try {
    const signal = AbortSignal.timeout(LISTEN_MS)
    await once(server, 'listening', { signal })
    const { port } = server.address() as { port: number }
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect', { signal })
    socket.destroy()
    return { name: 'listen', ok: true, detail: 'a loopback port answers' }
  } catch (error) {
    return {
      name: 'listen',
      ok: false,
      detail: `a loopback port could not be used (${
        error instanceof Error ? error.message : String(error)
      }): look for a firewall or sandbox that forbids it`
    }
  } finally {
    server.close()
  }
}

/** Certificates have dates: a clock before this program was installed, or in the next century, is wrong. */
export function checkClock (now: number, installed: number): Check {
  const ok = now > installed - DAY_MS && now < Date.UTC(2100, 0)
  const time = new Date(now).toISOString()
  return { name: 'clock', ok, detail: ok ? time : `${time} cannot be right: set the clock, best by NTP` }
}
