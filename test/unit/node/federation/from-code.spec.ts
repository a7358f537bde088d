import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { SOFTWARE } from '../../../../src/common/software.ts'
import { createIdentity } from '../../../../src/federation/create-identity.ts'
import { readDraft } from '../../../../src/federation/document.ts'
import { inviteSite, type InvitationInit } from '../../../../src/federation/membership/invite-site.ts'
import { joinFederation, type JoinedFederation } from '../../../../src/federation/membership/join-federation.ts'
import { loadConfig } from '../../../../src/home/config/load.ts'
import { MIGRATIONS } from '../../../../src/home/migrations.ts'
import { sitePaths } from '../../../../src/home/paths.ts'
import { Daemon } from '../../../../src/node/daemon.ts'
import { openSite } from '../../../../src/node/site.ts'
import { createLogger } from '../../../../src/rounds/logger.ts'
import { createFederation, type FederationInit } from '../../../../src/site-model/create-federation.ts'

const ADDRESS = '/ip4/10.0.0.5/tcp/4001'

async function reasonOf (work: Promise<unknown>): Promise<string> {
  return await work.then(() => 'it was done', (error: Error) => `${error.name}: ${error.message}`)
}

describe('a federation made from code', () => {
  let folder: string
  let peerId: string
  const home = (name: string): string => join(folder, name)
  const found = async (init: Partial<FederationInit> = {}): Promise<string> =>
    (await createFederation({ home: home('north'), name: 'Two towns', rounds: 2, ...init })).id
  const invite = async (init: Partial<InvitationInit> = {}): Promise<string> =>
    (await inviteSite({ home: home('north'), peerId, name: 'South', ...init })).invitation

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    peerId = await createIdentity(home('south'))
  })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  it('is joined with an invitation, which brings the addresses', async () => {
    const id = await found()
    const { id: joined } = await joinFederation({ home: home('south'), invitation: await invite({ bootstrap: [ADDRESS] }) })
    expect(joined).to.equal(id)
    expect((await loadConfig(sitePaths(home('south')).config, {}, {})).bootstrap).to.deep.equal([ADDRESS])
    expect(await readFile(sitePaths(home('north')).membershipEvents, 'utf8')).to.include('member South')
  })

  it('replaces none, and names the setting that is wrong', async () => {
    await found()
    expect(await reasonOf(found())).to.match(/^InputError: .*federation\.json exists already/)
    expect(await reasonOf(found({ home: home('east'), settings: { training: { batchSize: 0 } } }))).to.match(/^InputError: .*batchSize/)
    expect(await reasonOf(found({ home: home('east'), rounds: 0 }))).to.match(/^InputError: .*rounds/)
    await found({ home: home('east') })
  })

  it('gives each of several classes a pass of the decoder and as many images as alone, unless told otherwise', async () => {
    const [one, two] = [[{ name: 'brain', value: 1 }], [{ name: 'brain', values: [1, 2] }, { name: 'core', value: 2 }]]
    const of = async (name: string, init: Partial<FederationInit>): Promise<unknown> => {
      const { document } = await createFederation({ home: home(name), name, rounds: 2, ...init })
      return [document.model.classes, document.training.batchSize, document.labels?.length]
    }
    expect(await of('none', {})).to.deep.equal([undefined, 2, undefined])
    expect(await of('one', { labels: one })).to.deep.equal([undefined, 2, 1])
    expect(await of('two', { labels: two })).to.deep.equal(['apart', 4, 2])
    const settings = { model: { classes: 'together' }, training: { batchSize: 3 } }
    expect(await of('told', { labels: two, settings })).to.deep.equal(['together', 3, 2])
    expect(await reasonOf(found({ home: home('bad'), labels: [{ name: 'brain', value: 0 }] }))).to.match(/^InputError: .*--labels/)
  })

  it('admits by who may, whom it can, for a time that there is', async () => {
    await found()
    expect(await reasonOf(invite({ peerId: 'nobody' }))).to.match(/^InputError: nobody is not a peer id/)
    expect(await reasonOf(invite({ name: '' }))).to.match(/^InputError: the name/)
    expect(await reasonOf(invite({ validMs: Infinity }))).to.match(/^InputError: .*10 years/)
    expect(await reasonOf(invite({ bootstrap: ['nowhere'] }))).to.match(/^InputError: nowhere is not a multiaddress/)
    expect(await reasonOf(invite({ peerId: await createIdentity(home('north')) }))).to.match(/^InputError: .* is this site itself/)
    await joinFederation({ home: home('south'), invitation: await invite() })
    const init = { home: home('south'), peerId: await createIdentity(home('east')), name: 'East' }
    expect(await reasonOf(inviteSite(init))).to.match(/^InputError: only a founder or an inviter/)
  })

  it('is entered by nobody else, and by no home of another one', async () => {
    await found()
    await createIdentity(home('east'))
    expect(await reasonOf(joinFederation({ home: home('east'), invitation: await invite() }))).to.match(/^InputError: .*for another site/)
    await found({ home: home('south'), name: 'Alone' })
    const before = await readFile(sitePaths(home('south')).networkKey)
    expect(await reasonOf(joinFederation({ home: home('south'), invitation: await invite() }))).to.match(/belongs to another federation/)
    expect(await readFile(sitePaths(home('south')).networkKey)).to.deep.equal(before)
  })

  it('is admitted to through an inviter, for plain members', async () => {
    await found()
    await joinFederation({ home: home('south'), invitation: await invite({ role: 'inviter' }) })
    const third = await createIdentity(home('east'))
    const init = { home: home('south'), peerId: third, name: 'East' } as const
    expect(await reasonOf(inviteSite({ ...init, role: 'inviter' }))).to.match(/^InputError: an inviter can admit plain members only/)
    const { invitation, validTo } = await inviteSite({ ...init, validMs: 60_000 })
    await joinFederation({ home: home('east'), invitation })
    expect(Date.parse(validTo!)).to.be.within(Date.now(), Date.now() + 60_000)
  })

  it('has further founders, a quorum and a method, as the command gives them', async () => {
    const file = join(folder, 'settings.json')
    await writeFile(file, JSON.stringify({ training: { batchSize: 2 } }))
    await found({ founders: [peerId, peerId], quorum: 2, method: 'ffa', settings: file })
    const { document } = await readDraft(sitePaths(home('north')).federation)
    expect(document).to.deep.include({ founders: [await createIdentity(home('north')), peerId], quorum: 2, software: SOFTWARE })
    expect([document.method?.preset, document.model.lora.aggregation, document.training.batchSize]).to.deep.equal(['ffa', 'ffa', 2])
    const refused = async (init: Partial<FederationInit>): Promise<string> => await reasonOf(found({ home: home('east'), ...init }))
    expect(await refused({ quorum: 2 })).to.equal('InputError: the quorum must be a whole number from 1 to the number of founders')
    expect(await refused({ founders: ['nobody'] })).to.match(/^InputError: .*founders\.1/)
    expect(await refused({ method: 'none' as never })).to.match(/^InputError: there is no method none: choose pfedsam, /)
    await writeFile(file, JSON.stringify({ training: { batchSize: 0 } }))
    expect(await refused({ settings: file })).to.match(/^InputError: .*settings\.json .*training\.batchSize/)
  })

  it('is joined with addresses given beside the invitation, and says what the site knows', async () => {
    await found()
    const invitation = await invite()
    const enter = async (...bootstrap: string[]): Promise<JoinedFederation> =>
      await joinFederation({ home: home('south'), invitation, bootstrap })
    expect(await reasonOf(enter('nowhere'))).to.match(/^InputError: nowhere is not a multiaddress/)
    expect((await enter()).bootstrap).to.deep.equal([])
    expect(await enter(ADDRESS)).to.deep.include({ peerId, bootstrap: [ADDRESS] })
    expect((await enter()).bootstrap, 'it knows one from before').to.deep.equal([ADDRESS])
    expect(await reasonOf(invite({ bootstrap: Array<string>(9).fill(ADDRESS) }))).to.match(/^InputError: .* 8 addresses at most/)
  })

  it('lies in homes of this format, and in no other', async () => {
    await found()
    const invitation = await invite()
    const work: Array<[string, () => Promise<unknown>]> = [
      ['south', async () => await joinFederation({ home: home('south'), invitation })],
      ['north', async () => await invite()],
      ['south', async () => await found({ home: home('south') })]
    ]
    for (const [name, doing] of work) {
      const { version } = sitePaths(home(name))
      const written = await readFile(version, 'utf8')
      expect(JSON.parse(written), name).to.include({ format: MIGRATIONS.at(-1)!.to, software: SOFTWARE })
      await writeFile(version, JSON.stringify({ format: 99, software: '9.1.0' }))
      expect(await reasonOf(doing()), name).to.match(/^InputError: .*has format 99, which consilium 9\.1\.0 wrote/)
      await rm(version)
      const before = await readdir(home(name))
      expect(await reasonOf(doing()), name).to.match(/^InputError: .*has format 1, .*: run "consilium start" there first/)
      expect(await readdir(home(name)), name).to.deep.equal(before)
      await writeFile(version, written)
    }
  })

  it('is run by a daemon that refuses a newer home, and brings an older one to this format', async () => {
    await found()
    const { version, config: file } = sitePaths(home('north'))
    const config = { ...await loadConfig(file, {}, {}), data: folder }
    const open = async (): Promise<readonly string[]> =>
      (await openSite({ home: home('north'), config, logger: createLogger('silent') })).notices.list
    expect(await open()).to.deep.equal([])
    await writeFile(version, JSON.stringify({ format: 99, software: '9.1.0' }))
    const daemon = new Daemon({ home: home('north'), config, alone: true, logger: createLogger('silent') })
    expect(await reasonOf(daemon.run())).to.match(/^InputError: .*has format 99/)
    await rm(version)
    expect((await open()).join()).to.contain('from format 1 to 2')
    expect(await open()).to.deep.equal([])
  })

  it('says that a damaged key is one', async () => {
    await writeFile(sitePaths(home('south')).identity, 'no key', { mode: 0o600 })
    expect(await reasonOf(createIdentity(home('south')))).to.match(/^InputError: .*is not a libp2p private key/)
  })
})
