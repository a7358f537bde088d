import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { readPeerId } from '../../src/federation/identity.ts'
import { inviteSite } from '../../src/federation/membership/invite-site.ts'
import { joinFederation } from '../../src/federation/membership/join-federation.ts'
import type { PeerView, SiteStatus } from '../../src/rounds/status.ts'
import { Sites, type FederationOptions } from '../integration/node/sites.ts'
import { readGains } from './read-gains.ts'

const run = promisify(execFile)
const SITE = fileURLToPath(new URL('site.ts', import.meta.url))
const LINE = fileURLToPath(new URL('slow-line.ts', import.meta.url))
const VXLAN_PORT = 4_789

/** What a site listens on that can be reached. */
export const OPEN = { listen: ['/ip4/0.0.0.0/tcp/4001', '/ip4/0.0.0.0/tcp/4002/ws'] }

interface Line {
  /** In one direction. */
  readonly delayMs: number
  readonly lossPercent: number
}

export interface Report { readonly status: SiteStatus, readonly peers: readonly PeerView[] }

/** Whether these programs are here, and namespaces can be made. */
export function has (...programs: readonly string[]): boolean {
  try {
    const probe = `c${tag()}`
    for (const action of ['add', 'delete']) execFileSync('ip', ['netns', action, probe], { stdio: 'ignore' })
    for (const each of programs) execFileSync('which', [each], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function tag (): string {
  return Math.random().toString(36).slice(2, 7)
}

/** How long every site stays in a round, at least: two phases. */
const PHASE_MS = 300
/** So far the mean of all sites may be from what they trained, of what that is: rounding, and no exchange that one site made alone. */
const DRIFT = 1e-3

/** Hosts of one Ethernet, each a network namespace: 10.99.0.N and fd99::N. */
export class Network {
  readonly sites: Sites
  readonly #tag = tag()
  readonly #hosts: string[] = []
  readonly #processes = new Map<string, ChildProcess[]>()

  private constructor (sites: Sites) {
    this.sites = sites
  }

  /** Sites never take another's adapter over: what all have trained is all that there is. */
  static async create (names: readonly string[], others: readonly string[] = [], options: FederationOptions = {}): Promise<Network> {
    const network = new Network(await Sites.create(names, { rounds: 100_000, staleness: 100_000, ...options }))
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

  /**
   * A line of its own between two hosts, 10.98.0.1 and 10.98.0.2: a tunnel (VXLAN) whose datagrams a third host passes on late, or not at
   * all.
   */
  async layLine (ends: readonly [string, string], via: string, { delayMs, lossPercent }: Line): Promise<void> {
    for (const [i, end] of ends.entries()) {
      // One packet in each datagram, whatever the sender puts together.
      await this.sh(end, `ip link add line type vxlan id 1 remote ${this.addressOf(via)} dstport ${VXLAN_PORT} dev eth0
        ip link set line gso_max_segs 1 up
        ip addr add 10.98.0.${i + 1}/24 dev line`)
    }
    const args = [VXLAN_PORT, delayMs, lossPercent, ...ends.map((end) => this.addressOf(end))].map(String)
    this.spawn(via, [process.execPath, '--import', 'tsx', '--no-warnings', LINE, ...args])
    await this.until('the line is there', async () => await this.roundTrip(ends[0], '10.98.0.2') < Infinity)
  }

  /** Milliseconds until a port that nobody listens on refuses; Infinity where nothing comes back. */
  async roundTrip (host: string, address: string): Promise<number> {
    const script = `const begun = performance.now(); require('net').connect(9, '${address}').once('error', ({ code }) => {
      console.log(code === 'ECONNREFUSED' ? performance.now() - begun : Infinity) })`
    return Number(await this.sh(host, `${process.execPath} -e "${script}"`))
  }

  /** Names for the hosts of this network, as DNS would give them. */
  async name (host: string, names: Readonly<Record<string, string>>): Promise<void> {
    const folder = `/etc/netns/${this.space(host)}`
    await mkdir(folder, { recursive: true })
    const lines = Object.entries(names).map(([name, address]) => `${address} ${name}`)
    await writeFile(join(folder, 'hosts'), ['127.0.0.1 localhost', ...lines, ''].join('\n'))
  }

  /** Takes out what the site has of its federation, which then comes by an invitation with these addresses. */
  async join (site: string, founder: string, bootstrap: readonly string[]): Promise<void> {
    const { home, certificate, federation, networkKey } = this.sites.paths(site)
    for (const file of [certificate, federation, networkKey]) await rm(file)
    const init = { home: this.sites.paths(founder).home, peerId: await this.idOf(site), name: site, bootstrap }
    await joinFederation({ home, invitation: (await inviteSite(init)).invitation })
  }

  /** With a trainer that adds another number to all of the adapter than that of any other site; with a folder of images the real one. */
  start (site: string, settings: object, data: object | string = {}): void {
    const { home } = this.sites.paths(site)
    const given = JSON.stringify({ name: site, logLevel: process.env['TEST_LOG'] ?? 'silent', ...settings })
    const trainer = typeof data === 'string' ? data : JSON.stringify({ delayMs: PHASE_MS, step: this.#stepOf(site), ...data })
    const node = [process.execPath, '--import', 'tsx', '--no-warnings', SITE, home, given, trainer, this.#report(site)]
    this.spawn(site, node)
  }

  /** `name`: what it is ended by. */
  spawn (host: string, [program = '', ...args]: readonly string[], name = host): void {
    const child = spawn('ip', ['netns', 'exec', this.space(host), program, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
    this.#processes.set(name, [...this.#processes.get(name) ?? [], child])
  }

  async kill (name: string): Promise<void> {
    for (const child of this.#running(name)) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }

  /** Until these sites have ended by themselves. */
  async ended (...sites: readonly string[]): Promise<void> {
    await this.until(`${sites.join(', ')} ended`, async () => sites.every((site) => this.#running(site).length === 0), 600_000)
  }

  /** Stops the sites that run and reads what all have: the mean is that of what was trained, whoever exchanged what with whom. */
  async expectConserved (...sites: readonly string[]): Promise<void> {
    for (const site of sites) for (const child of this.#running(site)) child.kill('SIGTERM')
    await this.ended(...sites)
    const [trained, gained] = await readGains(await Promise.all(sites.map(async (site) => ({
      paths: this.sites.paths(site), peerId: await this.idOf(site), step: this.#stepOf(site)
    }))))
    expect(gained, 'the mean of all sites, by what their training added').to.be.closeTo(trained, DRIFT * trained)
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

  at (host: string, rest = 'tcp/4001'): string {
    return `/ip4/${this.addressOf(host)}/${rest}`
  }

  async meet (...pairs: readonly (readonly [string, string])[]): Promise<void> {
    for (const [a, b] of pairs) {
      await this.until(`${a} exchanged with ${b}`, async () => await this.exchanges(a, b) > 0, 300_000)
    }
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
    for (const name of this.#processes.keys()) await this.kill(name)
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

  #stepOf (site: string): number {
    return (this.#hosts.indexOf(site) + 1) / 1_000
  }

  #running (name: string): ChildProcess[] {
    return (this.#processes.get(name) ?? []).filter(({ exitCode, signalCode }) => exitCode == null && signalCode == null)
  }

  #report (site: string): string {
    return join(this.sites.folder, `${site}.report.json`)
  }
}
