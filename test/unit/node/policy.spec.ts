import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createIdentity } from '../../../src/federation/create-identity.ts'
import type { FederationBody } from '../../../src/federation/document.ts'
import { inviteSite } from '../../../src/federation/membership/invite-site.ts'
import { joinFederation } from '../../../src/federation/membership/join-federation.ts'
import { beyondPolicy, comparePolicy } from '../../../src/federation/policy.ts'
import { isThere } from '../../../src/home/files.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { readPolicy } from '../../../src/home/policy.ts'
import { PolicyGuard } from '../../../src/node/policy-guard.ts'
import { policy, type Policy } from '../../../src/settings/site/policy.ts'
import { createFederation } from '../../../src/site-model/create-federation.ts'
import { federationOf, people } from './membership/federations.ts'

const NEVER = new AbortController().signal
const DAY_MS = 86_400_000

describe('a site\'s own policy', () => {
  let folder: string
  let document: FederationBody

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    document = (await federationOf(await people(1))).document
  })

  afterEach(async () => { await rm(folder, { recursive: true }) })

  const withRules = (rules: object): Policy => policy.parse({ document: rules })

  for (const [rules, beyond] of [
    [{ 'training.rounds': { most: 5 } }, undefined],
    [{ 'training.rounds': { most: 4 } }, 'training.rounds is 5, and this site\'s policy.json says at most 4'],
    [{ 'training.rounds': { least: 6 } }, 'training.rounds is 5, and this site\'s policy.json says at least 6'],
    [{ 'model.decoder': { only: ['frozen', 'lora'] } },
      'model.decoder is lora+heads, and this site\'s policy.json says only frozen or lora'],
    [{ 'model.encoder': { only: [null, 'lora'] } }, undefined],
    [{ 'model.encoder': { only: ['lora'] } }, 'model.encoder is not said, and this site\'s policy.json says only lora'],
    [{ 'training.emptyShare': { most: 0.5 } }, 'training.emptyShare is not said, and this site\'s policy.json says at most 0.5'],
    [{ 'averaging.coolDown.seconds': { most: 10 }, 'averaging.maxMass': { most: 10 } },
      'averaging.maxMass is 1000, and this site\'s policy.json says at most 10']
  ] as const) {
    it(`says of ${JSON.stringify(rules)}: ${beyond ?? 'within'}`, () => {
      expect(beyondPolicy(withRules(rules), document)).to.equal(beyond)
      expect(comparePolicy(withRules(rules), document).every(({ isWithin }) => isWithin)).to.equal(beyond == null)
    })
  }

  it('is nothing where there is no file, and every line that is wrong is named', async () => {
    const file = join(folder, 'policy.json')
    expect(await readPolicy(file)).to.deep.equal({})
    const rules = { 'averaging.maxMas': { most: 1 }, training: { most: 1 }, 'model.decoder': {} }
    await writeFile(file, JSON.stringify({ document: rules, hours: 5 }))
    const error = await readPolicy(file).then(() => '', ({ message }: Error) => message)
    for (const part of ['averaging.maxMas: is no setting', 'document.training: is no setting', 'must say least, most or only', 'hours']) {
      expect(error).to.contain(part)
    }
  })

  it('refuses an invitation to a federation that goes beyond it, and nothing of that is written', async () => {
    const [north, south] = [join(folder, 'north'), join(folder, 'south')]
    await createFederation({ home: north, name: 'Two towns', rounds: 30 })
    const { invitation } = await inviteSite({ home: north, peerId: await createIdentity(south), name: 'South' })
    const { policy: file, federation, networkKey, certificate } = sitePaths(south)
    await writeFile(file, JSON.stringify({ document: { 'training.rounds': { most: 20 } } }))
    const error = await joinFederation({ home: south, invitation }).then(() => '', ({ message }: Error) => message)
    expect(error).to.equal(
      'the federation goes beyond the policy of this site: training.rounds is 30, and this site\'s policy.json says at most 20'
    )
    for (const each of [federation, networkKey, certificate]) expect(await isThere(each), each).to.equal(false)
    await writeFile(file, JSON.stringify({ document: { 'training.rounds': { most: 30 } } }))
    await joinFederation({ home: south, invitation })
    expect(await isThere(federation)).to.equal(true)
  })

  describe('in a running site', () => {
    const averager = { withheld: false }
    const said = new Map<string, string>()
    let now: number
    let connected: number

    beforeEach(() => {
      averager.withheld = false
      said.clear()
      now = Date.UTC(2026, 5, 1, 23, 0)
      connected = 5
    })

    async function guardOf (over: Partial<Policy>, finished: readonly { t: number, bytesSent: number }[] = []): Promise<PolicyGuard> {
      const guard = new PolicyGuard({
        policy: over,
        file: join(folder, 'usage.json'),
        notices: {
          warn: (key, text) => { said.set(key, text) },
          over: (key) => { said.delete(key) },
          event: (text) => { said.set('event', text) }
        },
        clock: { now: () => now, sleep: async (ms) => { now += ms } },
        connected: () => connected,
        finished: finished.map(({ t, bytesSent }) => ({ t: new Date(t).toISOString(), bytesSent }))
      })
      await guard.guard(averager)
      return guard
    }

    it('withholds exchanges once the bytes of the day are spent, over restarts, until the next day', async () => {
      const guard = await guardOf({ bytesPerDay: 100 })
      guard.sent(60)
      expect(averager.withheld).to.equal(false)
      guard.sent(60)
      expect(averager.withheld).to.equal(true)
      expect(said.get('policy bytes')).to.contain('exchanges pause until midnight (UTC): 100 bytes a day')
      await guard.stop()
      averager.withheld = false
      const again = await guardOf({ bytesPerDay: 100 })
      expect(averager.withheld, 'after a restart').to.equal(true)
      now += DAY_MS
      again.look()
      expect([averager.withheld, said.size]).to.deep.equal([false, 0])
      await again.stop()
    })

    it('knows from its rounds what was sent where the file is damaged', async () => {
      await writeFile(join(folder, 'usage.json'), 'no JSON')
      const guard = await guardOf({ bytesPerDay: 100 }, [{ t: now - DAY_MS, bytesSent: 500 }, { t: now - 1, bytesSent: 100 }])
      expect(averager.withheld).to.equal(true)
      expect(said.get('event')).to.contain('usage.json is damaged')
      await guard.stop()
      const other = await guardOf({ bytesPerDay: 101 }, [{ t: now - DAY_MS, bytesSent: 500 }, { t: now - 1, bytesSent: 100 }])
      expect(averager.withheld).to.equal(false)
      other.sent(1)
      await other.stop()
      expect(await readFile(join(folder, 'usage.json'), 'utf8')).to.contain('"bytesSent": 101')
    })

    it('withholds exchanges while fewer members are connected than it asks for', async () => {
      connected = 2
      const guard = await guardOf({ partners: 3 })
      expect([averager.withheld, said.get('policy partners')]).to.deep.equal(
        [true, 'exchanges pause: policy.json asks for 3 other members, and 2 are connected'])
      connected = 3
      guard.look()
      expect([averager.withheld, said.size]).to.deep.equal([false, 0])
      await guard.stop()
    })

    for (const [from, to, at, until] of [
      ['20:00', '06:00', 12, 20],
      ['20:00', '06:00', 6, 20],
      ['20:00', '06:00', 3, 3],
      ['08:00', '16:00', 16, 8],
      ['08:00', '16:00', 8, 8]
    ] as const) {
      it(`lets training begin at ${until} where it is ${at} o'clock and the hours are ${from} to ${to}`, async () => {
        const guard = await guardOf({ hours: { from, to } })
        now = new Date(2026, 5, 1, at, 0).getTime()
        await guard.mayTrain(NEVER)
        expect(new Date(now).getHours()).to.equal(until)
        expect(said.size).to.equal(0)
        await guard.stop()
      })
    }
  })
})
