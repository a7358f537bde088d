import { createHash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import { parseFederation, type Federation } from '../../../../src/federation/document.ts'
import { verifyCredential, type Certificate, type CredentialFault } from '../../../../src/federation/membership/certificate.ts'
import { decodeInvitation, encodeInvitation, requireUsableInvitation } from '../../../../src/federation/membership/invitation.ts'
import { makeKey, requireKey } from '../../../../src/federation/membership/key-ring.ts'
import { signRevocation, Standing, type Statement } from '../../../../src/federation/membership/statements.ts'
import { canonicalBytes } from '../../../../src/federation/signed.ts'
import { decodeMembershipMessage, encodeMembershipMessage, type MembershipMessage } from '../../../../src/protocol/membership/messages.ts'
import { certify, federationOf, NOW, people, type Person } from './federations.ts'

const FAULTS: CredentialFault[] = [
  'NONE',
  'MALFORMED',
  'WRONG_FEDERATION',
  'WRONG_SIGNER',
  'OTHER_PEER',
  'REVOKED',
  'NOT_YET_VALID',
  'EXPIRED'
]
const SEED = 20_260_601
/** Whatever one input costs, signatures included. */
const SLOWEST_MS = 2_000

/** Flips, cuts, doubles or overwrites bytes. */
const byteEdit = fc.record({
  kind: fc.constantFrom('flip', 'cut', 'insert', 'overwrite', 'double'),
  at: fc.nat(),
  value: fc.nat({ max: 255 }),
  length: fc.integer({ min: 1, max: 40 })
})
type ByteEdit = typeof byteEdit extends fc.Arbitrary<infer T> ? T : never

function editBytes (bytes: Uint8Array, { kind, at, value, length }: ByteEdit): Buffer {
  const whole = Buffer.from(bytes)
  const position = at % Math.max(1, whole.length)
  const [head, tail] = [whole.subarray(0, position), whole.subarray(position)]
  if (kind === 'cut') return Buffer.concat([head, tail.subarray(length)])
  if (kind === 'insert') return Buffer.concat([head, Buffer.alloc(length, value), tail])
  if (kind === 'double') return Buffer.concat([head, tail.subarray(0, length), tail])
  const edited = Buffer.from(whole)
  if (kind === 'flip') edited[position]! ^= 1 << value % 8
  else if (whole.length > 0) edited.fill(value, position, Math.min(whole.length, position + length))
  return edited
}

const junk = fc.oneof(
  fc.constantFrom<unknown>(null, '', 0, -1, 1e308, true, [], {}, '12D3KooW', 'x'.repeat(5_000), '2026-99-99', { __proto__: 1 }),
  fc.jsonValue({ maxDepth: 3 })
)
const jsonEdit = fc.record({
  path: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 5 }),
  action: fc.constantFrom('set', 'delete', 'add', 'repeat'),
  value: junk
})
type JsonEdit = typeof jsonEdit extends fc.Arbitrary<infer T> ? T : never

/** Changes the value somewhere inside a JSON value: what a liar can write and still be parsed. */
function editJson (value: unknown, { path, action, value: replacement }: JsonEdit): unknown {
  const copy = structuredClone(value)
  let node = copy as Record<string, unknown>
  for (const [depth, step] of path.entries()) {
    const keys = Object.keys(node)
    const key = keys[step % Math.max(1, keys.length)] ?? 'more'
    const inner = node[key]
    if (depth < path.length - 1 && typeof inner === 'object' && inner != null) {
      node = inner as Record<string, unknown>
      continue
    }
    if (action === 'set') node[key] = replacement
    else if (action === 'delete') Reflect.deleteProperty(node, key)
    else if (action === 'add') node['more'] = replacement
    else if (Array.isArray(node)) node.push(inner)
    else node[key] = [inner, inner]
    break
  }
  return copy
}

/** The error's name and message, or 'accepted'. */
async function outcome (work: () => unknown): Promise<string> {
  const begun = performance.now()
  try {
    await work()
    return 'accepted'
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  } finally {
    expect(performance.now() - begun, 'milliseconds').to.be.below(SLOWEST_MS)
  }
}

describe('50,000 malformed invitations, certificates, documents and membership frames', function () {
  this.timeout(120_000)
  let founder: Person
  let site: Person
  let federation: Federation
  let certificate: Certificate
  let statement: Statement
  let text: string

  before(async () => {
    [founder, site] = await people(2) as [Person, Person]
    federation = await federationOf([founder])
    certificate = await certify(federation, founder, site.peerId)
    statement = await signRevocation(federation.id, site.peerId, founder.key)
    text = encodeInvitation({
      federation,
      certificate,
      ring: { current: '11'.repeat(32), previous: [] },
      bootstrap: ['/ip4/10.0.0.5/tcp/4001']
    })
  })

  async function fuzz<T> (numRuns: number, arbitrary: fc.Arbitrary<T>, check: (value: T) => Promise<void>): Promise<void> {
    await fc.assert(fc.asyncProperty(arbitrary, check), { numRuns, seed: SEED })
  }

  it('the originals are good', async () => {
    const invitation = await decodeInvitation(text)
    await requireUsableInvitation(invitation, { peerId: site.peerId, now: NOW, standing: new Standing(federation) })
    expect(await verifyCredential({ certificate }, { federation, peerId: site.peerId, now: NOW, standing: new Standing(federation) })).to
      .have.property('member')
    expect(await new Standing(federation).learn([statement])).to.have.length(1)
    expect((await parseFederation(federation.document, 'it')).id).to.equal(federation.id)
  })

  it('8,000 mistyped invitations', async () => {
    await fuzz(8_000, byteEdit, async (edit) => {
      const edited = editBytes(Buffer.from(text), edit).toString('latin1')
      // White space is no difference.
      if (edited.replace(/\s+/g, '') === text) return
      expect(await outcome(async () => await decodeInvitation(edited))).to.match(
        /^InputError: (the invitation was mistyped or cut|this is no invitation|an invitation has at most)/
      )
    })
  })

  it('4,000 invitations that a liar packed', async () => {
    const content = JSON.parse(inflateRawSync(Buffer.from(text.slice('consilium1'.length), 'base64url').subarray(6)).toString()) as object
    const pack = (value: unknown): string => {
      const packed = deflateRawSync(JSON.stringify(value))
      return 'consilium1' +
        Buffer.concat([createHash('sha256').update('consilium invitation').update(packed).digest().subarray(0, 6), packed]).toString(
          'base64url'
        )
    }
    expect(await outcome(async () => await decodeInvitation(pack(content)))).to.equal('accepted')
    await fuzz(4_000, jsonEdit, async (edit) => {
      const edited = editJson(content, edit)
      const end = await outcome(async () => {
        const invitation = await decodeInvitation(pack(edited))
        expect(invitation.federation.id).to.equal(federation.id)
        await requireUsableInvitation(invitation, { peerId: site.peerId, now: NOW, standing: new Standing(federation) })
        expect(signedPart(invitation)).to.deep.equal(signedPart({ certificate }))
      })
      expect(end).to.match(/^(accepted$|InputError: )/)
    })
    const bomb = await outcome(async () => await decodeInvitation(pack('0'.repeat(200_000))))
    expect(bomb, 'unpacked it would be larger than any').to.match(/^InputError: the invitation is malformed/)
  })

  it('13,000 certificates that a liar wrote', async () => {
    const judging = { federation, peerId: site.peerId, now: NOW, standing: new Standing(federation) }
    await fuzz(13_000, fc.array(jsonEdit, { minLength: 1, maxLength: 3 }), async (edits) => {
      const edited = edits.reduce<unknown>(editJson, { certificate })
      if (canonicalBytes(edited as object).toString() === canonicalBytes({ certificate }).toString()) return
      const verdict = await verifyCredential(edited, judging)
      // Repeating a founder's signature or adding an empty list of hand-overs says nothing new: the signed content decides.
      if ('member' in verdict) expect(signedPart(edited)).to.deep.equal(signedPart({ certificate }))
      else expect(FAULTS).to.include(verdict.fault)
    })
  })

  it('6,000 documents that a liar wrote', async () => {
    await fuzz(6_000, fc.array(jsonEdit, { minLength: 1, maxLength: 3 }), async (edits) => {
      const edited = edits.reduce<unknown>(editJson, federation.document)
      const end = await outcome(async () => { expect((await parseFederation(edited, 'it')).id).to.equal(federation.id) })
      expect(end).to.match(/^(accepted$|InputError: it (is not a federation document|was changed after|is signed by|carries))/)
    })
  })

  it('6,000 statements and keys that a liar wrote', async () => {
    const key = await makeKey(federation, { current: '11'.repeat(32), previous: [] }, founder.key, '2027-01-01T00:00:00.000Z')
    await fuzz(6_000, fc.tuple(jsonEdit, fc.boolean()), async ([edit, isKey]) => {
      const original = isKey ? key.statement : statement
      const edited = editJson(original, edit)
      const standing = new Standing(federation)
      const end = await outcome(async () => {
        if (isKey) await requireKey(federation, edited, Buffer.from(key.key, 'hex'))
        else await standing.learn([edited])
      })
      if (end !== 'accepted') expect(end).to.match(/^ProtocolError: /)
      expect(standing.isRevoked(founder.peerId, 'founder')).to.equal(false)
      expect(standing.statements.every((each) => each.kind === 'revocation' && each.peerId === site.peerId)).to.equal(true)
    })
  })

  it('13,000 frames', async () => {
    const hello: MembershipMessage = {
      hello: { credential: canonicalBytes({ certificate }), digest: new Uint8Array(32), key: { epoch: 1, hash: new Uint8Array(32) } }
    }
    const frames = [hello, {
      batch: {
        statements: [canonicalBytes(statement), canonicalBytes(statement)],
        last: true,
        key: { statement: canonicalBytes(statement), key: new Uint8Array(32) }
      }
    }, { answer: { refused: 'REVOKED' as const } }].map((step) => encodeMembershipMessage(step as MembershipMessage))
    const edited = fc.tuple(fc.nat({ max: 2 }), fc.array(byteEdit, { minLength: 1, maxLength: 4 })).map(([which, edits]) =>
      edits.reduce<Uint8Array>(editBytes, frames[which]!)
    )
    await fuzz(
      13_000,
      fc.oneof({ weight: 4, arbitrary: edited }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) }),
      async (bytes) => {
        const end = await outcome(async () => {
          const step = decodeMembershipMessage(bytes)
          if ('hello' in step) await admitsNobody(step.hello.credential)
        })
        expect(end).to.match(/^(accepted$|ProtocolError: )/)
      }
    )
  })

  /** A frame that is still one carries a credential that is judged like any other. */
  async function admitsNobody (bytes: Uint8Array): Promise<void> {
    let value: unknown
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    } catch {
      return
    }
    const verdict = await verifyCredential(value, { federation, peerId: site.peerId, now: NOW, standing: new Standing(federation) })
    if ('member' in verdict) expect(signedPart(value)).to.deep.equal(signedPart({ certificate }))
  }

  function signedPart (value: unknown): unknown {
    const { signatures: _, issuer: __, ...rest } = (value as { certificate: Certificate }).certificate
    return rest
  }
})
