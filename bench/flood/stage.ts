import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readFloatTensors } from '../../src/adapter/safetensors.ts'
import type { RoundRecord } from '../../src/home/metrics-log.ts'
import { fetchControl } from '../../src/node/control/client.ts'
import type { SiteStatus } from '../../src/rounds/status.ts'
import { Child } from './process.ts'

const SAMPLE = fileURLToPath(new URL('../../samples/colin27/hospital-a', import.meta.url))
/** Few, for short rounds. */
const IMAGES = 8
const ROUNDS = 100_000
const POLL_MS = 100
const PATIENCE_MS = 120_000

/** A victim, an honest partner and members that will turn, all set up and run by the commands that users type. */
export class Stage {
  readonly #folder: string
  readonly #children: Child[] = []
  readonly #sites = new Map<string, Child>()
  #address = ''

  private constructor (folder: string) {
    this.#folder = folder
  }

  static async open (hostiles: number): Promise<Stage> {
    const stage = new Stage(await mkdtemp(join(tmpdir(), 'consilium-flood-')))
    try {
      await stage.#found(['honest', ...Array.from({ length: hostiles }, (_, i) => `hostile-${i}`)])
      const data = await stage.#fewImages()
      stage.#address = await stage.#start('victim', data, [])
      await stage.#start('honest', data, ['--bootstrap', stage.#address])
      return stage
    } catch (error) {
      await stage.close()
      throw error
    }
  }

  home (name: string): string {
    return join(this.#folder, name)
  }

  get victim (): Child {
    return this.#sites.get('victim')!
  }

  async status (): Promise<SiteStatus> {
    return await fetchControl<SiteStatus>(this.home('victim'), '/status')
  }

  /** When the victim's rounds ended, milliseconds since the epoch. */
  async roundEnds (): Promise<number[]> {
    const text = await readFile(join(this.home('victim'), 'metrics.jsonl'), 'utf8').catch(() => '')
    return text.split('\n').slice(0, -1).map((line) => Date.parse((JSON.parse(line) as RoundRecord).t))
  }

  async warmUp (): Promise<void> {
    await this.#until(async () => (await this.status()).exchanges > 2 && (await this.roundEnds()).length > 1)
  }

  startHostile (index: number, args: readonly string[]): Child {
    const child = Child.hostile([
      '--home',
      this.home(`hostile-${index}`),
      '--target',
      this.#address,
      '--victim',
      this.home('victim'),
      ...args
    ])
    this.#children.push(child)
    return child
  }

  async endHonest (): Promise<void> {
    for (const child of this.#sites.values()) await child.end()
  }

  async close (): Promise<void> {
    await Promise.all(this.#children.map(async (child) => { await child.end('SIGKILL') }))
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #found (others: readonly string[]): Promise<void> {
    await this.#command(['federation', 'create', '--home', this.home('victim'), '--name', 'flood', '--rounds', String(ROUNDS)])
    for (const name of others) {
      const { peerId } = await this.#command<{ peerId: string }>(['init', '--home', this.home(name)])
      const { invitation } = await this.#command<{ invitation: string }>(['invite', peerId, '--home', this.home('victim'), '--name', name])
      await this.#command(['join', invitation, '--home', this.home(name)])
    }
  }

  async #command<T> (args: readonly string[]): Promise<T> {
    const child = Child.cli([...args, '--json'])
    this.#children.push(child)
    await child.ended
    if (child.stdout === '') throw new Error(`consilium ${args[0]} failed: ${child.stderr}`)
    return JSON.parse(child.stdout) as T
  }

  async #start (name: string, data: string, args: readonly string[]): Promise<string> {
    const child = Child.cli([
      'start',
      '--home',
      this.home(name),
      '--data',
      data,
      '--name',
      name,
      '--threads',
      '1',
      '--nice',
      '10',
      '--listen',
      '/ip4/127.0.0.1/tcp/0',
      ...args
    ])
    this.#children.push(child)
    this.#sites.set(name, child)
    let address: string | undefined
    await this.#until(async () => {
      if (child.isOver) throw new Error(`${name} ended: ${child.stderr}`)
      address = (await fetchControl<SiteStatus>(this.home(name), '/status').catch(() => undefined))?.addresses[0]
      return address != null
    })
    return address!
  }

  async #fewImages (): Promise<string> {
    const data = join(this.#folder, 'data')
    for (const kind of ['images', 'masks']) {
      await mkdir(join(data, kind), { recursive: true })
      for (const name of (await readdir(join(SAMPLE, kind))).sort().slice(8, 8 + IMAGES)) {
        await cp(join(SAMPLE, kind, name), join(data, kind, name))
      }
    }
    return data
  }

  async #until (holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + PATIENCE_MS
    while (!await holds()) {
      if (Date.now() > end) throw new Error('waited in vain')
      await sleep(POLL_MS)
    }
  }
}

/** The schema hash of a site's adapter, which a member learns from announcements. */
export async function schemaOf (home: string): Promise<string> {
  return readFloatTensors(await readFile(join(home, 'initial.safetensors'))).metadata['schema_hash']!
}
