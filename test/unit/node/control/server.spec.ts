import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { sitePaths } from '../../../../src/home/paths.ts'
import { askControl, fetchControl, fetchHealth } from '../../../../src/node/control/client.ts'
import type { Health } from '../../../../src/node/control/health.ts'
import { ControlServer } from '../../../../src/node/control/server.ts'
import { createLogger } from '../../../../src/rounds/logger.ts'
import { Notices } from '../../../../src/rounds/notices.ts'
import type { SiteStatus } from '../../../../src/rounds/status.ts'

const PEER = '12D3KooWMDnCnkdDCKNgkgeZcyNNDHiXnMw5ReQbZ2vM28d2fATZ'
const METRICS_TOKEN = 'a token for Prometheus'.replaceAll(' ', '-')

describe('ControlServer', () => {
  let home: string
  let server: ControlServer
  let health: Health
  let notices: Notices

  beforeEach(async () => {
    notices = new Notices(createLogger('silent'))
    health = { ok: true, reason: 'round 3 of 10' }
    home = await mkdtemp(join(tmpdir(), 'consilium-'))
    server = new ControlServer(init())
    await server.start()
  })

  const init = (): ConstructorParameters<typeof ControlServer>[0] => ({
    file: sitePaths(home).control,
    port: 0,
    status: () => ({ name: 'Mercy' }) as SiteStatus,
    peers: () => [],
    observing: {
      health: () => health,
      metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', page: 'consilium_round 3\n' })
    },
    notices,
    metricsToken: METRICS_TOKEN
  })

  afterEach(async () => {
    await server.stop()
    await rm(home, { recursive: true })
  })

  it('answers who holds the token of this home', async () => {
    expect(await fetchControl(home, '/status')).to.deep.equal({ name: 'Mercy' })
    expect(await fetchControl(home, '/peers')).to.deep.equal([])
  })

  it('listens on loopback alone and keeps the token from others', async () => {
    const { url } = JSON.parse(await readFile(sitePaths(home).control, 'utf8')) as { url: string }
    expect(url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await stat(sitePaths(home).control)).mode & 0o777).to.equal(0o600)
  })

  it('tells nothing without the token or with a wrong one', async () => {
    const { url, token } = JSON.parse(await readFile(sitePaths(home).control, 'utf8')) as { url: string, token: string }
    for (const authorization of ['', 'Bearer ', `Bearer ${token}x`, token]) {
      const response = await fetch(`${url}/status`, { headers: { authorization } })
      expect(response.status, authorization).to.equal(401)
      expect(await response.text()).not.to.contain('Mercy')
    }
  })

  it('closes its port even where the file with its address cannot be removed', async () => {
    const { url } = JSON.parse(await readFile(sitePaths(home).control, 'utf8')) as { url: string }
    await rm(sitePaths(home).control)
    await mkdir(join(sitePaths(home).control, 'in the way'), { recursive: true })
    expect(await server.stop().then(() => 'removed', () => 'not removed')).to.equal('not removed')
    expect(await fetch(url).then(() => 'open', () => 'closed')).to.equal('closed')
    await rm(sitePaths(home).control, { recursive: true })
  })

  it('leaves no address behind when it stops', async () => {
    await server.stop()
    const error = await fetchControl(home, '/status').then(() => undefined, (reason: Error) => reason)
    expect(error?.message).to.contain('no daemon answers for')
  })

  async function ask (path: string, token?: string): Promise<Response> {
    const control = JSON.parse(await readFile(sitePaths(home).control, 'utf8')) as { url: string, token: string }
    return await fetch(control.url + path, { headers: { authorization: `Bearer ${token ?? control.token}` } })
  }

  it('tells metrics and health to both tokens, and nothing else to the one of Prometheus', async () => {
    for (const token of [undefined, METRICS_TOKEN]) {
      const metrics = await ask('/metrics', token)
      expect(metrics.headers.get('content-type')).to.include('version=0.0.4')
      expect(await metrics.text()).to.equal('consilium_round 3\n')
      expect(await (await ask('/healthz', token)).json()).to.deep.equal(health)
    }
    for (const path of ['/status', '/peers', '/members', '/metrics/../status', '/status?/metrics', '//metrics']) {
      expect((await ask(path, METRICS_TOKEN)).status, path).to.equal(401)
    }
    expect((await ask('/metrics', 'another')).status).to.equal(401)
  })

  it('tells the same two at another address, to the token of Prometheus alone', async () => {
    await server.stop()
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port } = free.address() as { port: number }
    const metricsListen = `127.0.0.1:${port}`
    const occupied = new ControlServer({ ...init(), metricsListen })
    expect(await occupied.start().then(() => undefined, (error: Error) => error.message))
      .to.equal(`metrics cannot be answered at ${metricsListen} (EADDRINUSE): choose another address with --metrics-listen`)
    free.close()
    await once(free, 'close')
    const { metricsToken: _, ...withoutToken } = init()
    const open = new ControlServer({ ...withoutToken, metricsListen })
    expect(await open.start().then(() => undefined, (error: Error) => error.message)).to.contain('--metrics-token')
    await open.stop()
    server = new ControlServer({ ...init(), metricsListen })
    await server.start()
    const { token } = JSON.parse(await readFile(sitePaths(home).control, 'utf8')) as { token: string }
    const at = async (path: string, given: string): Promise<Response> =>
      await fetch(`http://${metricsListen}${path}`, { headers: { authorization: `Bearer ${given}` } })
    expect(await (await at('/metrics', METRICS_TOKEN)).text()).to.equal('consilium_round 3\n')
    expect(await (await at('/healthz', METRICS_TOKEN)).json()).to.deep.equal(health)
    expect((await at('/status', METRICS_TOKEN)).status).to.equal(404)
    for (const given of ['', token]) expect((await at('/metrics', given)).status).to.equal(401)
  })

  it('is asked how it is by "consilium status --health"', async () => {
    expect(await fetchHealth(home)).to.deep.equal(health)
    health = { ok: false, reason: 'the disk is full' }
    expect(await fetchHealth(home)).to.deep.equal(health)
    await server.stop()
    expect(await fetchHealth(home).then(() => undefined, (error: Error) => error.message)).to.contain('no daemon answers for')
  })

  it('answers 503 with the reason where the site is not well', async () => {
    health = { ok: false, reason: 'the disk is full' }
    const answer = await ask('/healthz')
    expect([answer.status, await answer.json()]).to.deep.equal([503, health])
  })

  it('shows what "audit reconcile" found, until it finds nothing', async () => {
    const found = async (differences: number): Promise<unknown> =>
      await askControl(home, '/ledger/reconciled', { peerId: PEER, differences })
    await found(2)
    expect(notices.standing.join()).to.include(`of this site and of site ${PEER} differ in 2 places`)
    await found(0)
    expect(notices.standing).to.deep.equal([])
    expect(await found(-1).then(() => 'taken', (error: Error) => error.message)).to.include('the request is malformed')
  })
})
