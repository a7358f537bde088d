import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createIdentity } from '../../../../src/federation/create-identity.ts'
import { inviteSite, type InvitationInit } from '../../../../src/federation/membership/invite-site.ts'
import { joinFederation } from '../../../../src/federation/membership/join-federation.ts'
import { loadConfig } from '../../../../src/home/config/load.ts'
import { sitePaths } from '../../../../src/home/paths.ts'
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

  it('says that a damaged key is one', async () => {
    await writeFile(sitePaths(home('south')).identity, 'no key', { mode: 0o600 })
    expect(await reasonOf(createIdentity(home('south')))).to.match(/^InputError: .*is not a libp2p private key/)
  })
})
