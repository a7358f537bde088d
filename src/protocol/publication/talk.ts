import { createHash } from 'node:crypto'
import { littleEndianBytes, littleEndianFloats } from '../../adapter/safetensors.ts'
import { ProtocolError, RefusedError } from '../../errors.ts'
import { MAX_FRAME_BYTES } from '../shared/frame-decoder.ts'
import type { Frames } from '../shared/frames.ts'
import { decodeAsk, decodeGet, decodeHave, encodeAsk, encodeGet, encodeHave, MAX_PUBLICATION_BYTES, type Item } from './messages.ts'

/** A publication as it is shown: its numbers went through the release gate. */
export interface Shown extends Item {
  readonly values: Float32Array
}

/** What the protocol needs of the site. */
export interface PublicationPort {
  readonly schemaHash: string
  /** Numbers of all kinds together, as this site's document says. */
  readonly most: number
  /** What may leave now; none of a kind that the federation and the site do not both agree to. */
  shown (): readonly Shown[]
  /** Numbers of a kind, as this site's document says; undefined where it wants none of it. */
  countOf (kind: string): number | undefined
}

export interface PublicationTalk {
  readonly frames: Frames
  /** Between two frames, milliseconds. */
  readonly progressMs: number
  readonly signal: AbortSignal
}

/** What the asking side wants of one partner. */
export interface Wanted {
  /** Whether this one, which it shows, is new here. */
  readonly isNew: (item: Item) => boolean
}

/** The asking side: what the partner shows, and the numbers of what is wanted of it. */
export async function askPublications (
  port: Pick<PublicationPort, 'schemaHash' | 'countOf'>,
  { isNew }: Wanted,
  talk: PublicationTalk
): Promise<{ readonly items: readonly Item[], readonly got: readonly Shown[] }> {
  const { frames, progressMs: ms, signal } = talk
  await frames.write(encodeAsk(port.schemaHash), { ms, what: 'room for the question', signal })
  const items = decodeHave(await frames.read(MAX_PUBLICATION_BYTES, { ms, what: 'list of publications', signal }))
  const got: Shown[] = []
  for (const item of items) {
    const count = port.countOf(item.kind)
    if (count == null || !isNew(item)) continue
    await frames.write(encodeGet(item.kind), { ms, what: 'room for the request', signal })
    got.push({ ...item, values: await receiveValues(item, count, talk) })
  }
  return { items, got }
}

/** The answering side. `mayHave` is asked before one is sent, `onSent` told after. */
export async function showPublications (
  port: PublicationPort,
  { mayHave, onSent }: { readonly mayHave: (item: Item) => boolean, readonly onSent: (sent: Shown) => void },
  talk: PublicationTalk
): Promise<void> {
  const { frames, progressMs: ms, signal } = talk
  const isOurs = decodeAsk(await frames.read(MAX_PUBLICATION_BYTES, { ms, what: 'question', signal })) === port.schemaHash
  const shown = isOurs ? port.shown() : []
  const items = shown.map(({ kind, round, digest }) => ({ kind, round, digest }))
  await frames.write(encodeHave(items), { ms, what: 'room for the list of publications', signal })
  for (;;) {
    const request = await frames.readUnlessEnded(MAX_PUBLICATION_BYTES, { ms, what: 'request', signal })
    if (request == null) return
    const kind = decodeGet(request)
    // What was named may not leave any more.
    const asked = shown.find((each) => each.kind === kind)
    if (asked == null) throw new ProtocolError(`it asks for ${kind}, which this site does not show`)
    if (!port.shown().some((each) => each.kind === kind)) throw new RefusedError('PAUSED')
    if (!mayHave(asked)) throw new RefusedError('RATE_LIMITED')
    await sendValues(asked.values, talk)
    onSent(asked)
  }
}

async function sendValues (values: Float32Array, { frames, progressMs: ms, signal }: PublicationTalk): Promise<void> {
  const bytes = littleEndianBytes(values)
  for (let begin = 0; begin < bytes.length; begin += MAX_FRAME_BYTES) {
    await frames.write(bytes.subarray(begin, begin + MAX_FRAME_BYTES), { ms, what: 'room for the next chunk', signal })
  }
}

async function receiveValues (
  { kind, digest }: Item,
  count: number,
  { frames, progressMs: ms, signal }: PublicationTalk
): Promise<Float32Array> {
  const bytes = new Uint8Array(4 * count)
  for (let begin = 0; begin < bytes.length;) {
    const chunk = await frames.read(Math.min(MAX_FRAME_BYTES, bytes.length - begin), { ms, what: 'chunk', signal })
    if (chunk.length === 0) throw new ProtocolError('a chunk of no numbers')
    bytes.set(chunk, begin)
    begin += chunk.length
  }
  if (digestOf(bytes) !== digest) throw new ProtocolError(`the numbers of ${kind} have another digest than was said`)
  return littleEndianFloats(bytes)
}

/** SHA-256 (hex) of a publication's numbers as they travel. */
export function publicationDigest (values: Float32Array): string {
  return digestOf(littleEndianBytes(values))
}

function digestOf (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
