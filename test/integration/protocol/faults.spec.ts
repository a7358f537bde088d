import { createHash } from 'node:crypto'
import type { Libp2p, Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { ProtocolError, UnreachableError } from '../../../src/errors.ts'
import type { ExchangeFailure } from '../../../src/protocol/adapter-exchange/index.ts'
import {
  checkCommit,
  decodeAnswer,
  decodeOffer,
  encodeAnswer,
  encodeCommit,
  encodeCommitted,
  encodeOffer,
  encodeTrailer,
  MAX_MESSAGE_BYTES
} from '../../../src/protocol/adapter-exchange/messages.ts'
import type { Offer } from '../../../src/protocol/adapter-exchange/port.ts'
import { decodeAcknowledgement, decodeQuery, encodeReply } from '../../../src/protocol/outcome/messages.ts'
import { Frames } from '../../../src/protocol/shared/frames.ts'
import { connect, nextEvent, startBareNode, startSite, stopAll, vectorSchema, type ProtocolSite } from './nodes.ts'

const SIZE = 70_000
const FULL = 65_536
/** Where the test waits for a time-out, and where none should come even on a crowded machine. */
const IMPATIENT = { firstByteMs: 300, progressMs: 300 }
const PATIENT = { firstByteMs: 10_000, progressMs: 10_000 }
const LIMIT = { ms: 10_000, what: 'frame of the test' }
const ID = '09'.repeat(16)
const terms = { round: 1, mass: 1, clipRadius: 1e6 }
const offer: Offer = { ...terms, exchangeId: ID, schemaHash: vectorSchema(SIZE).hash, codecs: ['f32'], want: 'f32' }
const own = new Float32Array(SIZE).fill(2)
const theirs = new Float32Array(SIZE).fill(1)

function encodeChunk (values: Float32Array): Uint8Array {
  return new Uint8Array(values.slice().buffer)
}

/** The frames of a vector and its trailer. */
function vectorFrames (values: Float32Array): [Uint8Array, Uint8Array, Uint8Array] {
  const chunks = [encodeChunk(values.subarray(0, FULL)), encodeChunk(values.subarray(FULL))] as const
  const hash = createHash('sha256')
  chunks.forEach((chunk) => hash.update(chunk))
  return [...chunks, encodeTrailer(hash.digest())]
}

const [first, second, trailer] = vectorFrames(own)
const withNaN = own.slice()
withNaN[SIZE - 1] = NaN

async function writeAll (frames: Frames, bytes: readonly Uint8Array[]): Promise<void> {
  for (const frame of bytes) await frames.write(frame, LIMIT)
}

interface Fault {
  readonly name: string
  /** What the partner sends after its Offer was accepted (or it accepted ours); then it keeps silent, or ends its side. */
  readonly sends: readonly Uint8Array[]
  readonly then?: 'end' | 'reset'
  readonly error: string
  readonly message: RegExp
}

const FAULTS: readonly Fault[] = [
  {
    name: 'a wrong digest',
    sends: [first, second, encodeTrailer(new Uint8Array(32))],
    error: 'ProtocolError',
    message: /digest does not match/
  },
  {
    name: 'a flipped bit',
    sends: [first, second.map((byte, index) => index === 9 ? byte ^ 1 : byte), trailer],
    error: 'ProtocolError',
    message: /digest does not match/
  },
  { name: 'NaN', sends: vectorFrames(withNaN), error: 'ProtocolError', message: /not finite/ },
  { name: 'numbers over the norm bound', sends: vectorFrames(own.map(() => 1e5)), error: 'ProtocolError', message: /norm bound/ },
  {
    name: 'an oversize frame',
    sends: [new Uint8Array(FULL * 4), new Uint8Array(second.length + 4)],
    error: 'ProtocolError',
    message: /where at most/
  },
  { name: 'a short chunk', sends: [first.subarray(4), second, trailer], error: 'ProtocolError', message: /where the schema says/ },
  { name: 'an extra chunk', sends: [first, second, second, trailer], error: 'ProtocolError', message: /where at most 512/ },
  { name: 'a truncated stream', sends: [first], then: 'end', error: 'ProtocolError', message: /ended the stream before its chunk/ },
  { name: 'a reset', sends: [first], then: 'reset', error: 'UnreachableError', message: /went away/ },
  { name: 'silence instead of a first chunk', sends: [], error: 'TimeoutError', message: /no chunk within 300 ms/ },
  { name: 'silence after a chunk', sends: [first], error: 'TimeoutError', message: /no chunk within 300 ms/ },
  { name: 'no trailer', sends: [first, second], error: 'TimeoutError', message: /no trailer within 300 ms/ }
]

async function misbehave (frames: Frames, stream: Stream, { sends, then }: Fault): Promise<void> {
  await writeAll(frames, sends).catch(() => {})
  if (then === 'end') await stream.close()
  if (then === 'reset') stream.abort(new Error('reset by the test'))
}

function expectUnchanged ({ averager }: ProtocolSite): void {
  expect(averager.values).to.deep.equal(theirs)
  expect([averager.exchanges, averager.busy, averager.inDoubt]).to.deep.equal([0, false, 0])
}

describe('adapter-exchange with a partner that breaks the protocol', () => {
  let site: ProtocolSite
  let partner: Libp2p
  let failed: Promise<ExchangeFailure>

  async function setUp (limits = PATIENT): Promise<void> {
    site = await startSite({ values: theirs, limits })
    partner = await startBareNode()
    await connect(partner, site.node)
    failed = nextEvent(site.service, 'failure')
  }

  afterEach(stopAll)

  async function offerTo (changes: Partial<Offer> = {}): Promise<{ stream: Stream, frames: Frames }> {
    const stream = await partner.dialProtocol(site.node.peerId, site.service.protocol)
    const frames = new Frames(stream)
    await frames.write(encodeOffer({ ...offer, ...changes }), LIMIT)
    return { stream, frames }
  }

  /** The partner answers our offer with this script. */
  async function answerWith (script: (frames: Frames, stream: Stream, id: string) => Promise<void>): Promise<void> {
    await partner.handle(site.service.protocol, async (stream) => {
      const frames = new Frames(stream)
      const { exchangeId } = decodeOffer(await frames.read(MAX_MESSAGE_BYTES, LIMIT))
      await script(frames, stream, exchangeId)
    })
  }

  for (const fault of FAULTS) {
    it(`as initiator, by ${fault.name}: ${fault.error}, nothing changed`, async () => {
      await setUp(fault.error === 'TimeoutError' ? IMPATIENT : PATIENT)
      const { stream, frames } = await offerTo()
      expect(decodeAnswer(await frames.read(MAX_MESSAGE_BYTES, LIMIT), offer)).to.deep.equal({
        accepted: { round: 1, mass: 1, clipRadius: 1e6, steps: 0 },
        codec: 'f32'
      })
      await misbehave(frames, stream, fault)
      const { reason, error, role, inDoubt, partner: name } = await failed
      expect({ reason, role, inDoubt, name }).to.deep.equal({
        reason: fault.error,
        role: 'responder',
        inDoubt: false,
        name: partner.peerId.toString()
      })
      expect(error.message).to.match(fault.message)
      expectUnchanged(site)
    })

    it(`as responder, by ${fault.name}: ${fault.error}, nothing changed`, async () => {
      await setUp(fault.error === 'TimeoutError' ? IMPATIENT : PATIENT)
      await answerWith(async (frames, stream, id) => {
        await frames.write(encodeAnswer(id, { accepted: terms, codec: 'f32' }), LIMIT)
        await misbehave(frames, stream, fault)
      })
      const thrown = await site.service.exchange(partner.peerId).catch((error: unknown) => error as Error)
      expect(thrown).to.have.property('name', fault.error)
      expect(thrown).to.have.property('message').that.matches(fault.message)
      expect(await failed).to.include({ reason: fault.error, role: 'initiator', inDoubt: false })
      expectUnchanged(site)
    })
  }

  it('by silence instead of an offer, or instead of Commit', async () => {
    await setUp(IMPATIENT)
    const stream = await partner.dialProtocol(site.node.peerId, site.service.protocol)
    // A lazily negotiated stream reaches the other side with its first bytes: half a length prefix.
    stream.send(Uint8Array.of(0x80))
    expect((await failed).error.message).to.equal('no offer within 300 ms')
    failed = nextEvent(site.service, 'failure')
    const { frames } = await offerTo()
    await frames.read(MAX_MESSAGE_BYTES, LIMIT)
    await writeAll(frames, vectorFrames(own))
    expect((await failed).error.message).to.equal('no Commit within 300 ms')
    expectUnchanged(site)
  })

  it('by an offer or an answer that cannot be', async () => {
    await setUp()
    await offerTo({ mass: -1 })
    expect((await failed).error).to.be.instanceOf(ProtocolError)
    failed = nextEvent(site.service, 'failure')
    const stream = await partner.dialProtocol(site.node.peerId, site.service.protocol)
    await new Frames(stream).write(new Uint8Array(MAX_MESSAGE_BYTES + 1), LIMIT)
    expect((await failed).error.message).to.match(/where at most 512/)
    await answerWith(async (frames) => { await frames.write(encodeAnswer('08'.repeat(16), { accepted: terms, codec: 'f32' }), LIMIT) })
    const thrown = await site.service.exchange(partner.peerId).catch((error: unknown) => error)
    expect(thrown).to.be.instanceOf(ProtocolError)
    expectUnchanged(site)
  })

  it('by a Commit of another exchange', async () => {
    await setUp()
    const { frames } = await offerTo()
    await frames.read(MAX_MESSAGE_BYTES, LIMIT)
    await writeAll(frames, [...vectorFrames(own), encodeCommit('00'.repeat(16))])
    expect((await failed).error.message).to.match(/another exchange/)
    expectUnchanged(site)
  })

  it('by never saying Committed: in doubt, counted, x unchanged, and the next exchange works', async () => {
    await setUp({ firstByteMs: 1500, progressMs: 1500 })
    await answerWith(async (frames, _stream, id) => {
      await frames.write(encodeAnswer(id, { accepted: terms, codec: 'f32' }), LIMIT)
      await writeAll(frames, vectorFrames(own))
      for (const cap of [FULL * 4, FULL * 4, MAX_MESSAGE_BYTES]) await frames.read(cap, LIMIT)
      checkCommit(await frames.read(MAX_MESSAGE_BYTES, LIMIT), id)
    })
    const thrown = await site.service.exchange(partner.peerId).catch((error: unknown) => error as Error)
    expect(thrown).to.have.property('message', 'no Committed within 1500 ms')
    expect(await failed).to.include({ reason: 'TimeoutError', inDoubt: true })
    expect(site.averager.values).to.deep.equal(theirs)
    expect([site.averager.exchanges, site.averager.busy, site.averager.inDoubt]).to.deep.equal([0, false, 1])
    await partner.unhandle(site.service.protocol)
    await answerWith(async (frames, _stream, id) => {
      await frames.write(encodeAnswer(id, { accepted: terms, codec: 'f32' }), LIMIT)
      await writeAll(frames, vectorFrames(own))
      for (const cap of [FULL * 4, FULL * 4, MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES]) await frames.read(cap, LIMIT)
      await frames.write(encodeCommitted(id), LIMIT)
    })
    // The partner cannot be asked what it decided: nothing further with it.
    expect(await site.service.exchange(partner.peerId).catch((error: unknown) => error)).to.be.instanceOf(UnreachableError)
    await partner.handle(site.service.protocol.replace('adapter-exchange', 'outcome'), async (stream) => {
      const frames = new Frames(stream)
      const asked = decodeQuery(await frames.read(MAX_MESSAGE_BYTES, LIMIT))
      await frames.write(encodeReply({ verdict: 'aborted', latest: asked }), LIMIT)
      expect(decodeAcknowledgement(await frames.read(MAX_MESSAGE_BYTES, LIMIT))).to.equal(asked)
    })
    const settled = nextEvent(site.service, 'settled')
    expect(await site.service.exchange(partner.peerId)).to.include({ distance: Math.sqrt(SIZE) })
    expect(site.averager.values[0]).to.equal(1.5)
    expect(await settled).to.include({ partner: partner.peerId.toString(), verdict: 'aborted' })
    expect(site.service.failuresOf(partner.peerId.toString())).to.deep.equal({ TimeoutError: 1, UnreachableError: 1 })
  })

  it('by keeping within every other limit: the total limit ends it', async () => {
    await setUp()
    const patient = await startSite({ values: new Float32Array(8), limits: { firstByteMs: 60_000, progressMs: 60_000, leastTotalMs: 300 } })
    await connect(partner, patient.node)
    const ended = nextEvent(patient.service, 'failure')
    const stream = await partner.dialProtocol(patient.node.peerId, patient.service.protocol)
    stream.send(Uint8Array.of(0x80))
    const { error } = await ended
    expect(error.name).to.equal('TimeoutError')
    expect(error.message).to.match(/did not end within 300 ms/)
  })

  it('of which it is told nothing once it stops', async () => {
    await setUp()
    const { frames } = await offerTo()
    await frames.read(MAX_MESSAGE_BYTES, LIMIT)
    expect(site.averager.busy).to.equal(true)
    await site.node.stop()
    expect((await failed).reason).to.equal('UnreachableError')
    expectUnchanged(site)
    const stream = await partner.dialProtocol(site.node.peerId, site.service.protocol).catch((error: unknown) => error as Error)
    expect(stream).to.be.instanceOf(Error)
  })
})
