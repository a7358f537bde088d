import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Check } from '../../../../src/cli/doctor/checks.ts'
import { checkSite, WANTED, type SiteFacts } from '../../../../src/cli/doctor/site-checks.ts'
import { createIdentity } from '../../../../src/federation/create-identity.ts'
import { inviteSite } from '../../../../src/federation/membership/invite-site.ts'
import { joinFederation } from '../../../../src/federation/membership/join-federation.ts'
import { sitePaths } from '../../../../src/home/paths.ts'
import { createFederation } from '../../../../src/site-model/create-federation.ts'
import { ROOT } from '../../documents/markdown.ts'

const DAY_MS = 86_400_000
const UNIT = join(ROOT, 'deploy/systemd/consilium.service')

describe('doctor of a site that is set up', () => {
  let folder: string
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  async function check (given: Partial<SiteFacts>): Promise<Check[]> {
    return await checkSite({ home: folder, config: {}, now: Date.now(), unitFolders: [], ...given })
  }

  it('says nothing of what there is not', async () => {
    expect(await check({ unitFolders: [folder] })).to.deep.equal([])
  })

  it('knows the unit of this repository, and names what another lacks', async () => {
    const text = await readFile(UNIT, 'utf8')
    const file = join(folder, 'consilium.service')
    await writeFile(file, text)
    expect(await check({ unitFolders: [join(folder, 'none'), folder] }))
      .to.deep.equal([{ name: 'systemd', ok: true, detail: `${file} is hardened and has a watchdog` }])
    await mkdir(`${file}.d`)
    const dropIn = join(`${file}.d`, 'own.conf')
    await writeFile(dropIn, '[Service]\nNoNewPrivileges=no\nSystemCallFilter=\nUMask=0027\n')
    const [undone] = await check({ unitFolders: [folder] })
    expect(undone?.detail, 'the last word counts').to.include('lacks NoNewPrivileges, SystemCallFilter:')
    await rm(dropIn)
    await writeFile(file, text.replaceAll(/^(WatchdogSec|UMask)=.*\n/gm, ''))
    const [found] = await check({ unitFolders: [folder] })
    expect(found).to.deep.equal({
      name: 'systemd', ok: false, detail: `${file} lacks UMask, WatchdogSec: take the lines from deploy/systemd/consilium.service`
    })
    await writeFile(join(`${file}.d`, 'own.conf'), '[Service]\nUMask=0077\nWatchdogSec=1min\n')
    expect((await check({ unitFolders: [folder] }))[0]?.ok).to.equal(true)
    expect(WANTED.filter((key) => !new RegExp(`^${key}=`, 'm').test(text))).to.deep.equal([])
  })

  it('looks at the token of Prometheus: there, long enough, and not for every user', async () => {
    const token = join(folder, 'token')
    const said = async (config: SiteFacts['config']): Promise<unknown> => (await check({ config })).map(({ ok, detail }) => [ok, detail])
    expect(await said({ metricsToken: token })).to.have.nested.property('[0][1]').that.includes('is not there')
    await writeFile(token, 'short')
    expect(await said({ metricsToken: token })).to.have.nested.property('[0][1]').that.includes('holds no token')
    await writeFile(token, '0123456789abcdef01234567')
    await chmod(token, 0o644)
    expect(await said({ metricsToken: token }))
      .to.deep.equal([[false, `every user of this machine can read ${token}: chmod 640, with the group of Prometheus`]])
    await chmod(token, 0o640)
    expect(await said({ metricsToken: token })).to.deep.equal([[true, `${token} holds a token, for its owner and group alone`]])
    expect(await said({ metricsListen: '0.0.0.0:9465' }))
      .to.deep.equal([[false, 'metricsListen needs a token: name its file with --metrics-token']])
  })

  it('looks for who is told, and sends nothing', async () => {
    const asked: string[] = []
    const resolve = async (host: string): Promise<void> => {
      asked.push(host)
      if (host.endsWith('.invalid')) throw new Error('ENOTFOUND')
    }
    const ok = async (notify: string, proxy?: string): Promise<Check> =>
      (await check({ config: { notify, ...(proxy == null ? {} : { proxy }) }, resolve }))[0]!
    const program = join(folder, 'tell-it')
    expect(await ok(program)).to.include({ ok: false })
    await writeFile(program, '#!/bin/sh\n')
    expect(await ok(program)).to.include({ ok: false })
    await chmod(program, 0o755)
    expect(await ok(program)).to.deep.equal({ name: 'notify', ok: true, detail: 'the program can be run' })
    expect(await ok(folder)).to.include({ ok: false })
    expect(await ok('https://hooks.hospital.example/secret'))
      .to.deep.equal({ name: 'notify', ok: true, detail: 'hooks.hospital.example is found' })
    expect(await ok('https://hooks.invalid/secret'))
      .to.deep.equal({
        name: 'notify', ok: false, detail: 'no address is found for hooks.invalid: look at DNS, or mend the setting notify'
      })
    expect(asked).to.deep.equal(['hooks.hospital.example', 'hooks.invalid'])
    expect(await ok('https://hooks.invalid/secret', 'http://proxy:3128')).to.include({ ok: true })
    expect(asked).to.have.length(2)
  })

  it('says when the certificate ends, and what to do a month before', async () => {
    const [north, south] = [join(folder, 'north'), join(folder, 'south')]
    await createFederation({ home: north, name: 'Two towns', rounds: 2 })
    const peerId = await createIdentity(south)
    const { invitation } = await inviteSite({ home: north, peerId, name: 'South' })
    await joinFederation({ home: south, invitation })
    expect(await check({ home: north })).to.deep.equal([])
    const [fine] = await check({ home: south })
    expect(fine).to.include({ name: 'certificate', ok: true })
    const end = Date.parse(fine!.detail.replace('ends ', ''))
    expect((await check({ home: south, now: end - 29 * DAY_MS }))[0]).to.deep.equal({
      name: 'certificate',
      ok: false,
      detail: `${fine!.detail}: see that a founder, or who invited this site, is met, who renews it; else ask for a new invitation`
    })
    expect((await check({ home: south, now: end + 1 }))[0]?.detail).to.match(/^ended /)
    await writeFile(sitePaths(south).certificate, 'none')
    expect((await check({ home: south }))[0]?.ok).to.equal(false)
  })
})
