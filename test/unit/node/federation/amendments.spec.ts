import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { agreed } from '../../../../src/federation/amendments/agreements.ts'
import { amend, type Wanted } from '../../../../src/federation/amendments/amend.ts'
import { Amendments } from '../../../../src/federation/amendments/amendments.ts'
import { changeInWords, changesBetween } from '../../../../src/federation/amendments/changes.ts'
import { KnownDocuments } from '../../../../src/federation/amendments/known-documents.ts'
import { hindrance, takeUpAmendment } from '../../../../src/federation/amendments/take-up.ts'
import {
  documentDigest,
  federationId,
  numberOf,
  readFederation,
  signFederation,
  writeFederation,
  type Federation,
  type FederationDocument
} from '../../../../src/federation/document.ts'
import { loadOrCreateIdentity } from '../../../../src/federation/identity.ts'
import { readEvents } from '../../../../src/federation/membership/events.ts'
import { signRevocation, Standing } from '../../../../src/federation/membership/statements.ts'
import { verifyCredential } from '../../../../src/federation/membership/certificate.ts'
import { canonicalBytes } from '../../../../src/federation/signed.ts'
import { sitePaths, type SitePaths } from '../../../../src/home/paths.ts'
import { NO_POLICY } from '../../../../src/settings/site/policy.ts'
import { certify, federationOf, NOW, people, type Person } from '../membership/federations.ts'

const failure = async (work: Promise<unknown>): Promise<string> =>
  await work.then(() => { throw new Error('it succeeded') }, (error: Error) => `${error.name}: ${error.message}`)

describe('amendments of a federation', () => {
  let founders: [Person, Person, Person]
  let stranger: Person
  let federation: Federation

  beforeEach(async () => {
    const all = await people(4)
    founders = all.slice(0, 3) as [Person, Person, Person]
    stranger = all[3]!
    federation = await federationOf(founders, 2)
  })

  async function draft (wanted: Wanted, { from = federation, by = founders[0], now = '2026-06-01T00:00:00.000Z', revoked = [] }: {
    from?: Federation, by?: Person, now?: string, revoked?: readonly string[]
  } = {}): Promise<FederationDocument> {
    return await amend(from, wanted, { key: by.key, now, revoked })
  }

  async function signedBoth (...args: Parameters<typeof draft>): Promise<FederationDocument> {
    return await signFederation(await draft(...args), founders[1].key)
  }

  const twenty: Wanted = { settings: { training: { rounds: 20 } } }

  it('keep the federation\'s id, name the document before, and say line by line what changes', async () => {
    const document = await draft({ settings: { training: { rounds: 20, lrLora: 0.5 }, averaging: { staleness: 5 } } })
    expect(federationId(document)).to.equal(federation.id)
    expect(document.amends).to.deep.equal({ federation: federation.id, document: documentDigest(federation.document), number: 1 })
    expect(changesBetween(federation.document, document).map(changeInWords)).to.deep.equal([
      'training.rounds: 5 becomes 20',
      'training.lrLora: 0.001 becomes 0.5',
      'averaging.staleness: 3 becomes 5'
    ])
  })

  it('name other addresses of sites, or none any more, and keep those that nobody speaks of', async () => {
    const hints = ['/ip4/10.0.0.5/tcp/4001']
    const first = await signedBoth({ hints })
    const known = new KnownDocuments(federation)
    expect(await known.learn([first])).to.have.length(1)
    const from = { id: federation.id, document: first }
    expect((await draft(twenty, { from })).hints).to.deep.equal(hints)
    const second = await signedBoth({ hints: [] }, { from })
    expect('hints' in second).to.equal(false)
    expect(await known.learn([second])).to.have.length(1)
    expect(changesBetween(first, second).map(changeInWords)).to.deep.equal(['hints: ["/ip4/10.0.0.5/tcp/4001"] becomes nothing'])
  })

  for (const [what, settings] of Object.entries({
    'model.imageSize: 128 becomes 256': { model: { imageSize: 256 } },
    'averaging.maxMass: 1000 becomes 5': { averaging: { maxMass: 5 } },
    'averaging.weighting: images becomes uniform': { averaging: { weighting: 'uniform' } },
    'averaging.normBound: 10000 becomes 1': { averaging: { normBound: 1 } },
    'training.seed: 1 becomes 2': { training: { seed: 2 } },
    'method.keeps: nothing becomes ["decoder"]': { method: { keeps: ['decoder'] } }
  })) {
    it(`never are what would make another federation of it: ${what}`, async () => {
      expect(await failure(draft({ settings }))).to.contain(`InputError: this cannot be amended (${what})`)
      // Nor where a founder's software thought otherwise.
      const body = { ...federation.document, ...(await draft(twenty)), ...merged(federation.document, settings) }
      const forged = await signFederation({ ...body, signatures: [] }, founders[0].key)
      const known = new KnownDocuments(federation)
      expect(await known.learn([await signFederation(forged, founders[1].key)])).to.deep.equal([])
    })
  }

  function merged (document: FederationDocument, settings: object): object {
    return Object.fromEntries(Object.entries(settings).map(([section, values]) =>
      [section, { ...document[section as 'model'], ...values as object }]))
  }

  it('refuse to change nothing', async () => {
    expect(await failure(draft({ settings: { training: { rounds: 5 } } }))).to.contain('nothing would change')
  })

  it('count once a quorum of the founders before has signed, whose signatures find each other', async () => {
    const [one, two] = [new KnownDocuments(federation), new KnownDocuments(federation)]
    const first = await draft(twenty)
    const second = await signFederation({ ...first, signatures: [] }, founders[1].key)
    await one.learn([first])
    expect(one.newest.document).to.equal(federation.document)
    expect(one.drafts).to.have.length(1)
    await two.learn([second])
    await two.learn(one.all)
    await one.learn(two.all)
    for (const each of [one, two]) {
      expect(numberOf(each.newest.document)).to.equal(1)
      expect(each.newest.document.training.rounds).to.equal(20)
      expect(each.drafts).to.deep.equal([])
    }
    expect(Buffer.from(one.digest).equals(two.digest)).to.equal(true)
    expect(await one.learn(two.all), 'nothing is new').to.deep.equal([])
  })

  it('are refused with the signature of a stranger, or of another text', async () => {
    const document = await signedBoth(twenty)
    const known = new KnownDocuments(federation)
    const strangers = await signFederation({ ...document, signatures: [] }, stranger.key)
    expect(await failure(known.learn([strangers]))).to.contain('ProtocolError')
    const changed = { ...document, training: { ...document.training, rounds: 50 } }
    expect(await failure(known.learn([changed]))).to.contain('ProtocolError')
    expect(known.newest.document).to.equal(federation.document)
  })

  it('are passed over where the one before is not known, and where newer software wrote what this one cannot read', async () => {
    const one = await signedBoth(twenty)
    const two = await signedBoth({ settings: { training: { rounds: 30 } } }, { from: { id: federation.id, document: one } })
    const known = new KnownDocuments(federation)
    expect(await known.learn([two])).to.deep.equal([])
    expect(await known.learn([{ ...one, software: '99.0.0', telepathy: true }])).to.deep.equal([])
    expect(known.unread).to.contain('install consilium 99.0.0')
    expect(await known.learn([one, two])).to.have.length(2)
    expect(known.newest.document.training.rounds).to.equal(30)
  })

  it('of two that follow the same document, the same one counts everywhere, whichever came first', async () => {
    const pair = [await signedBoth(twenty), await signedBoth({ settings: { training: { rounds: 7 } } })]
    const [one, two] = [new KnownDocuments(federation), new KnownDocuments(federation)]
    for (const each of pair) await one.learn([each])
    for (const each of pair.toReversed()) await two.learn([each])
    expect(documentDigest(one.newest.document)).to.equal(documentDigest(two.newest.document))
    // A site that went on with the other one comes over.
    const loser = pair.find((each) => documentDigest(each) !== documentDigest(one.newest.document))!
    const third = new KnownDocuments({ id: federation.id, document: loser }, [federation])
    await third.learn(one.all)
    expect(third.after(loser).map(documentDigest)).to.deep.equal([documentDigest(one.newest.document)])
  })

  it('of one founder may be four drafts at once, and no more', async () => {
    const known = new KnownDocuments(federation)
    for (let rounds = 10; rounds < 20; rounds++) await known.learn([await draft({ settings: { training: { rounds } } })])
    expect(known.drafts).to.have.length(4)
  })

  it('need this site\'s own agreement, unless its setting says otherwise', async () => {
    const more = await signedBoth(twenty)
    const rates = await signedBoth({ settings: { training: { lrLora: 0.5 } } }, { from: { id: federation.id, document: more } })
    const fewer = await signedBoth({ settings: { training: { rounds: 2 } } })
    const choose = (after: FederationDocument[], rule: 'ask' | 'rounds' | 'accept', agreements: string[] = []): number | undefined => {
      const document = agreed(federation.document, after, { rule, agreements })
      return document == null ? undefined : numberOf(document)
    }
    expect(choose([more, rates], 'ask')).to.equal(undefined)
    expect(choose([more, rates], 'ask', [documentDigest(more)])).to.equal(1)
    expect(choose([more, rates], 'ask', [documentDigest(rates)]), 'with all before it').to.equal(2)
    expect(choose([more, rates], 'rounds')).to.equal(1)
    expect(choose([fewer], 'rounds')).to.equal(undefined)
    expect(choose([more, rates], 'accept')).to.equal(2)
  })

  it('may ask for newer software, which this one says', async () => {
    expect(hindrance(await draft({ leastSoftware: '99.1.0' }), NO_POLICY)).to.contain('asks for consilium 99.1.0 or newer')
    expect(hindrance(await draft({ leastSoftware: '0.1.0' }), NO_POLICY)).to.equal(undefined)
    expect(hindrance(await draft(twenty), { document: { 'training.rounds': { most: 10 } } })).to.equal(
      "training.rounds is 20, and this site's policy.json says at most 10")
  })

  describe('that change the founders', () => {
    let amended: Federation
    const member = async (of: Federation, by: Person): Promise<object> =>
      ({ certificate: await certify(of, by, stranger.peerId), handovers: [] })

    beforeEach(async () => {
      federation = await federationOf(founders.slice(0, 2), 1)
      const wanted = { founders: [founders[1].peerId, founders[2].peerId], quorum: 1 }
      amended = { id: federation.id, document: await draft(wanted) }
    })

    it('take the signatures of those before, and let the new ones decide from then on', async () => {
      const known = new KnownDocuments(federation)
      expect(await known.learn([amended.document])).to.have.length(1)
      const next = { settings: { training: { rounds: 9 } } }
      expect(await known.learn([await draft(next, { from: amended, by: founders[0] })]).catch(() => 'refused')).to.equal('refused')
      expect(await known.learn([await draft(next, { from: amended, by: founders[2] })])).to.have.length(1)
      expect(known.newest.document.training.rounds).to.equal(9)
    })

    it('keep the members whom the former ones admitted, unless one of these was revoked', async () => {
      const standing = new Standing(amended)
      const judging = { federation: amended, peerId: stranger.peerId, now: NOW, standing }
      expect(await verifyCredential(await member(federation, founders[0]), judging)).to.have.property('member')
      expect(await verifyCredential(await member(federation, founders[2]), judging)).to.have.property('member')
      expect(await verifyCredential({}, { ...judging, peerId: founders[0].peerId })).to.deep.equal({ fault: 'NONE' })
      await standing.learn([await signRevocation(federation.id, founders[0].peerId, founders[1].key)])
      expect(await verifyCredential(await member(federation, founders[0]), judging)).to.deep.equal({ fault: 'REVOKED' })
    })

    it('keep what the former ones revoked, and what these sign afterwards counts no more', async () => {
      const before = new Standing(federation)
      await before.learn([await signRevocation(federation.id, stranger.peerId, founders[0].key)])
      expect(before.revokedByFounders).to.deep.equal([stranger.peerId])
      const wanted = { founders: [founders[1].peerId, founders[2].peerId], quorum: 1 }
      const document = await draft(wanted, { revoked: before.revokedByFounders })
      const after = new Standing({ id: federation.id, document })
      expect(after.isRevoked(stranger.peerId, 'member')).to.equal(true)
      await after.learn([await signRevocation(federation.id, founders[2].peerId, founders[0].key)])
      expect(after.isRevoked(founders[2].peerId, 'founder')).to.equal(false)
    })
  })

  describe('in a home', () => {
    let paths: SitePaths

    beforeEach(async () => {
      paths = sitePaths(await mkdtemp(join(tmpdir(), 'consilium-')))
      await loadOrCreateIdentity(paths.identity)
      await writeFederation(paths.federation, federation.document)
    })

    afterEach(async () => { await rm(paths.home, { recursive: true }) })

    it('stay where a daemon that was started afterwards takes them up, too', async () => {
      await (await Amendments.open(paths, federation)).leave(await draft(twenty))
      await (await Amendments.open(paths, federation)).tend()
      expect((await Amendments.open(paths, federation)).drafts).to.have.length(1)
    })

    it('wait where a command left them, go on disk, and are gone on with once agreed to', async () => {
      const said: string[] = []
      const say = (sentence: string): void => { said.push(sentence) }
      const document = await draft(twenty)
      const daemon = await Amendments.open(paths, federation)
      await (await Amendments.open(paths, federation)).leave(document)
      let told = 0
      daemon.onNews = () => { told++ }
      await daemon.tend()
      expect([told, daemon.drafts.length, daemon.mostRounds]).to.deep.equal([1, 1, 20])
      expect((await Amendments.open(paths, federation)).drafts, 'it is on disk').to.have.length(1)
      await takeUpAmendment(paths, 'accept', say)
      expect(said, 'it lacks a signature').to.deep.equal([])
      await daemon.learn([canonicalBytes(await signFederation(document, founders[1].key))])
      await takeUpAmendment(paths, 'ask', say)
      expect(said, 'nobody here has agreed').to.deep.equal([])
      await takeUpAmendment(paths, 'rounds', say)
      expect(said[0]).to.contain('this site goes on with amendment 1').and.to.contain('training.rounds: 5 becomes 20')
      const { id, document: inForce } = await readFederation(paths.federation)
      expect([id, inForce.training.rounds]).to.deep.equal([federation.id, 20])
      expect((await readEvents(paths.membershipEvents)).map(({ event }) => event)).to.deep.equal(['amended'])
      await takeUpAmendment(paths, 'rounds', say)
      expect(said).to.have.length(1)
      // What was in force before stays known.
      expect((await Amendments.open(paths, { id, document: inForce })).documents()).to.have.length(1)
    })
  })
})
