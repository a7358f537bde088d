import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { sitePaths } from '../../../../src/home/paths.ts'
import { fetchControl } from '../../../../src/node/control/client.ts'
import { ControlServer } from '../../../../src/node/control/server.ts'
import type { SiteStatus } from '../../../../src/rounds/status.ts'

describe('ControlServer', () => {
  let home: string
  let server: ControlServer

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'consilium-'))
    server = new ControlServer({ file: sitePaths(home).control, port: 0, status: () => ({ name: 'Mercy' }) as SiteStatus, peers: () => [] })
    await server.start()
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
})
