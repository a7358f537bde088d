import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readPeerId } from '../../src/federation/identity.ts'
import type { PeerView, SiteStatus } from '../../src/rounds/status.ts'
import { Sites } from '../integration/node/sites.ts'

const run = promisify(execFile)
const SITE = fileURLToPath(new URL('site.ts', import.meta.url))

export interface Report { readonly status: SiteStatus, readonly peers: readonly PeerView[] }

/** Whether these programs are here, and namespaces can be made. */
export function has (...programs: readonly string[]): boolean {
  try {
    execFileSync('ip', ['netns', 'add', 'consilium-probe'], { stdio: 'ignore' })
    execFileSync('ip', ['netns', 'delete', 'consilium-probe'], { stdio: 'ignore' })
    for (const each of programs) execFileSync('which', [each], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Hosts of one Ethernet, each a network namespace: 10.99.0.N and fd99::N. */
export class Network {
  readonly sites: Sites
  readonly #tag = Math.random().toString(36).slice(2, 7)
  readonly #hosts: string[] = []
  readonly #processes = new Map<string, ChildProcess[]>()

  private constructor (sites: Sites) {
    this.sites = sites
  }

  static async create (names: readonly string[], others: readonly string[] = []): Promise<Network> {
    const network = new Network(await Sites.create(names, { rounds: 100_000 }))
    await run('ip', ['netns', 'add', network.space('hub')])
    await network.sh('hub', 'ip link add br0 type bridge && ip link set br0 up')
    for (const name of [...names, ...others]) await network.#addHost(name)
    return network
  }

  space (host: string): string {
    return `c${this.#tag}-${host}`
  }

  addressOf (host: string): string {
    return `10.99.0.${this.#hosts.indexOf(host) + 1}`
  }

  async sh (host: string, script: string): Promise<string> {
    return (await run('ip', ['netns', 'exec', this.space(host), 'sh', '-ec', script])).stdout
  }

  /** Nothing comes in that was not asked for. */
  async closeInbound (host: string): Promise<void> {
    await this.sh(host, `nft add table inet f
      nft 'add chain inet f in { type filter hook input priority 0; policy drop; }'
      nft add rule inet f in iif lo accept
      nft add rule inet f in ct state established,related accept`)
  }

  /** Nothing goes out but to this port, of this host where one is named. */
  async onlyTo (host: string, port: number, address?: string): Promise<void> {
    await this.sh(host, `nft add table inet g
      nft 'add chain inet g out { type filter hook output priority 0; policy drop; }'
      nft add rule inet g out oif lo accept
      nft add rule inet g out ct state established,related accept
      nft add rule inet g out ${address == null ? '' : `ip daddr ${address}`} tcp dport ${port} accept`)
  }

  async hasNetem (): Promise<boolean> {
    return await this.sh('hub', 'tc qdisc add dev br0 root netem delay 1ms && tc qdisc del dev br0 root').then(() => true, () => false)
  }

  /** Names for the hosts of this network, as DNS would give them. */
  async name (host: string, names: Readonly<Record<string, string>>): Promise<void> {
    const folder = `/etc/netns/${this.space(host)}`
    await mkdir(folder, { recursive: true })
    const lines = Object.entries(names).map(([name, address]) => `${address} ${name}`)
    await writeFile(join(folder, 'hosts'), ['127.0.0.1 localhost', ...lines, ''].join('\n'))
  }

  start (site: string, settings: object): void {
    const { home } = this.sites.paths(site)
    const given = JSON.stringify({ name: site, logLevel: process.env['TEST_LOG'] ?? 'silent', ...settings })
    const node = [process.execPath, '--import', 'tsx', '--no-warnings', SITE, home, given, this.#report(site)]
    this.spawn(site, node)
  }

  spawn (host: string, [program = '', ...args]: readonly string[]): void {
    const child = spawn('ip', ['netns', 'exec', this.space(host), program, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
    this.#processes.set(host, [...this.#processes.get(host) ?? [], child])
  }

  async kill (host: string): Promise<void> {
    for (const child of this.#processes.get(host) ?? []) {
      if (child.exitCode != null || child.signalCode != null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }

  async report (site: string): Promise<Report | undefined> {
    const text = await readFile(this.#report(site), 'utf8').catch(() => undefined)
    return text == null ? undefined : JSON.parse(text) as Report
  }

  async idOf (site: string): Promise<string> {
    return await readPeerId(this.sites.paths(site).identity)
  }

  async peer (site: string, partner: string): Promise<PeerView | undefined> {
    const id = await this.idOf(partner)
    return (await this.report(site))?.peers.find(({ peerId }) => peerId === id)
  }

  async exchanges (site: string, partner: string): Promise<number> {
    return (await this.peer(site, partner))?.exchanges ?? 0
  }

  /** Milliseconds that it took. */
  async until (what: string, holds: () => Promise<boolean>, withinMs = 240_000): Promise<number> {
    const begun = Date.now()
    while (!await holds()) {
      if (Date.now() > begun + withinMs) throw new Error(`waited ${withinMs / 1_000} s in vain until ${what}`)
      await sleep(250)
    }
    return Date.now() - begun
  }

  async close (): Promise<void> {
    for (const host of this.#processes.keys()) await this.kill(host)
    for (const host of [...this.#hosts, 'hub']) {
      await run('ip', ['netns', 'delete', this.space(host)])
      if (existsSync(`/etc/netns/${this.space(host)}`)) await rm(`/etc/netns/${this.space(host)}`, { recursive: true })
    }
    await this.sites.remove()
  }

  async #addHost (name: string): Promise<void> {
    this.#hosts.push(name)
    const n = this.#hosts.length
    const space = this.space(name)
    await run('ip', ['netns', 'add', space])
    await this.sh('hub', `ip link add h${n} type veth peer name eth0 netns ${space}
      ip link set h${n} master br0 up`)
    await this.sh(name, `ip link set lo up
      ip link set eth0 up
      ip addr add 10.99.0.${n}/24 dev eth0
      ip addr add fd99::${n}/64 dev eth0 nodad || true`)
  }

  #report (site: string): string {
    return join(this.sites.folder, `${site}.report.json`)
  }
}
