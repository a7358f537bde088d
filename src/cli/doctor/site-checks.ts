/** What a site that is set up needs from those around it: systemd, Prometheus, who is told, and who signed its certificate. */
import { lookup } from 'node:dns/promises'
import { access, constants, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../common/message-of.ts'
import { readCredential } from '../../federation/membership/files.ts'
import { readIfThere } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { readToken } from '../../home/token.ts'
import { fetchHealth } from '../../node/control/client.ts'
import type { SiteConfig } from '../../settings/site/site-config.ts'
import type { Check } from './checks.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 30
const LOOKUP_MS = 5_000
const READ_BY_ALL = 0o004
const UNIT = 'consilium.service'
const UNIT_FOLDERS = ['/etc/systemd/system', '/usr/local/lib/systemd/system', '/usr/lib/systemd/system']

/** Without which a unit lets the service do more, or does not notice that it hangs; deploy/systemd/consilium.service has them. */
export const WANTED = [
  'NoNewPrivileges', 'PrivateTmp', 'ProtectSystem', 'ProtectHome', 'RestrictAddressFamilies', 'CapabilityBoundingSet', 'SystemCallFilter',
  'UMask', 'WatchdogSec', 'Restart'
] as const

export interface SiteFacts {
  readonly home: string
  readonly config: Pick<SiteConfig, 'metricsListen' | 'metricsToken' | 'notify' | 'proxy'>
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Where units lie, the first one wins. */
  readonly unitFolders?: readonly string[]
  /** Finds a host's address, or rejects. */
  readonly resolve?: (host: string) => Promise<unknown>
}

/** What there is to say of each; nothing of what the site does not use. */
export async function checkSite (facts: SiteFacts): Promise<Check[]> {
  const { home, config: { metricsListen, metricsToken, notify, proxy }, now, unitFolders = UNIT_FOLDERS, resolve = lookup } = facts
  return [
    ...await checkUnit(unitFolders),
    ...await checkDaemon(home),
    ...await checkToken(metricsToken, metricsListen),
    ...(notify == null ? [] : [await checkNotify(notify, proxy, resolve)]),
    ...await checkCertificate(home, now)
  ]
}

async function checkUnit (folders: readonly string[]): Promise<Check[]> {
  for (const folder of folders) {
    const text = (await readIfThere(join(folder, UNIT)))?.toString('utf8')
    if (text == null) continue
    const said = [text, ...await dropIns(join(folder, `${UNIT}.d`))].join('\n')
    const missing = WANTED.filter((key) => !isSet(said, key))
    const path = join(folder, UNIT)
    return [missing.length === 0
      ? { name: 'systemd', ok: true, detail: `${path} is hardened and has a watchdog` }
      : { name: 'systemd', ok: false, detail: `${path} lacks ${missing.join(', ')}: take the lines from deploy/systemd/${UNIT}` }]
  }
  return []
}

/** The last word counts; nothing but CapabilityBoundingSet is set by saying nothing. */
function isSet (unit: string, key: string): boolean {
  const value = [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].at(-1)?.[1]?.trim()
  if (value == null) return false
  return value === '' ? key === 'CapabilityBoundingSet' : !/^(no|false|0|off)$/i.test(value)
}

async function dropIns (folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  const texts = names.filter((name) => name.endsWith('.conf')).sort().map(async (name) => await readIfThere(join(folder, name)))
  return (await Promise.all(texts)).map((text) => text?.toString('utf8') ?? '')
}

/** Nothing where no daemon runs, which is no fault. */
async function checkDaemon (home: string): Promise<Check[]> {
  const health = await fetchHealth(home).catch(() => undefined)
  return health == null ? [] : [{ name: 'daemon', ok: health.ok, detail: health.reason }]
}

async function checkToken (path: string | undefined, listen: string | undefined): Promise<Check[]> {
  const name = 'metrics'
  if (path == null) {
    return listen == null ? [] : [{ name, ok: false, detail: 'metricsListen needs a token: name its file with --metrics-token' }]
  }
  try {
    await readToken(path)
    const isOpen = ((await stat(path)).mode & READ_BY_ALL) !== 0
    const detail = isOpen
      ? `every user of this machine can read ${path}: chmod 640, with the group of Prometheus`
      : `${path} holds a token, for its owner and group alone`
    return [{ name, ok: !isOpen, detail }]
  } catch (error) {
    return [{ name, ok: false, detail: messageOf(error) }]
  }
}

/** Sends nothing. */
async function checkNotify (notify: string, proxy: string | undefined, resolve: (host: string) => Promise<unknown>): Promise<Check> {
  const name = 'notify'
  if (!notify.startsWith('https:')) {
    const isProgram = await Promise.all([access(notify, constants.X_OK), stat(notify)]).then(([, found]) => found.isFile(), () => false)
    return isProgram
      ? { name, ok: true, detail: 'the program can be run' }
      : { name, ok: false, detail: `${notify} is no program that this user can run: mend the setting notify` }
  }
  // Its path may hold a secret.
  const { hostname } = new URL(notify)
  if (proxy != null) return { name, ok: true, detail: `${hostname} is reached through the proxy, which finds it` }
  const late = new Promise<never>((_resolve, reject) => setTimeout(() => { reject(new Error('late')) }, LOOKUP_MS).unref())
  const isFound = await Promise.race([resolve(hostname.replaceAll(/[[\]]/g, '')), late]).then(() => true, () => false)
  return isFound
    ? { name, ok: true, detail: `${hostname} is found` }
    : { name, ok: false, detail: `no address is found for ${hostname}: look at DNS, or mend the setting notify` }
}

/** A founder may have none. */
async function checkCertificate (home: string, now: number): Promise<Check[]> {
  const name = 'certificate'
  try {
    const { certificate } = await readCredential(sitePaths(home).certificate)
    if (certificate == null) return []
    const days = (Date.parse(certificate.to) - now) / DAY_MS
    const when = days > 0 ? `ends ${certificate.to}` : `ended ${certificate.to}`
    const todo = 'see that a founder, or who invited this site, is met, who renews it; else ask for a new invitation'
    return [days > SOON_DAYS ? { name, ok: true, detail: when } : { name, ok: false, detail: `${when}: ${todo}` }]
  } catch (error) {
    return [{ name, ok: false, detail: messageOf(error) }]
  }
}
