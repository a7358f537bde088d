import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import { exportBundle, verifyBundle } from '../../../../src/audit/bundle.ts'
import { standingOf } from '../../../../src/audit/standing.ts'
import { seededRandom } from '../../../../src/common/random.ts'
import { InputError } from '../../../../src/errors.ts'
import type { Federation } from '../../../../src/federation/document.ts'
import { issueCertificate, type Credential } from '../../../../src/federation/membership/certificate.ts'
import { Desk, FEDERATION, refusal } from './fixtures.ts'

const FLIPS = 100

describe('audit bundle', () => {
  let desk: Desk
  let bundle: string

  beforeEach(async () => {
    desk = await Desk.create()
    bundle = join(desk.root, 'bundle.jsonl')
    const ledger = await desk.open({ segmentBytes: 500 })
    for (const each of ['a', 'b', 'c', 'd', 'e', 'f']) {
      ledger.append(refusal(each))
      await ledger.flush()
    }
    await ledger.close()
  })
  afterEach(async () => { await desk.remove() })

  async function write (credential: Credential = { handovers: [] }): Promise<void> {
    await exportBundle(bundle, { folder: desk.folder, expected: desk.expected, key: desk.key, credential, now: () => desk.time })
  }

  async function holds (): Promise<boolean> {
    try {
      return (await verifyBundle(bundle)).verdict.ok
    } catch (error) {
      expect(error).to.be.instanceOf(InputError)
      return false
    }
  }

  it('holds the whole ledger under the site\'s signature', async () => {
    await write()
    const kinds: string[] = []
    const { header, verdict } = await verifyBundle(bundle, ({ kind }) => { kinds.push(kind) })
    expect(header).to.include(desk.expected)
    expect(verdict).to.include({ ok: true, count: 7 })
    expect(kinds).to.deep.equal(['start', ...Array.from({ length: 6 }, () => 'refusal')])
  })

  it('shows every flipped bit, cut and addition', async () => {
    await write()
    const genuine = await readFile(bundle)
    const random = seededRandom(5)
    for (let i = 0; i < FLIPS; i++) {
      const bytes = Buffer.from(genuine)
      bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8)
      await writeFile(bundle, bytes)
      expect(await holds()).to.equal(false)
    }
    const lines = genuine.toString().trimEnd().split('\n')
    for (
      const forged of [
        lines.slice(0, -1).join('\n') + '\n',
        genuine.toString() + 'x',
        genuine.toString() + lines.at(-1)! + '\n',
        lines[0]!,
        ''
      ]
    ) {
      await writeFile(bundle, forged)
      expect(await holds()).to.equal(false)
    }
    await writeFile(bundle, genuine)
    expect(await holds()).to.equal(true)
  })

  it('names its site as a member by the document and itself alone', async () => {
    const founder = await generateKeyPair('Ed25519')
    const federation = {
      id: FEDERATION,
      document: { founders: [peerIdFromPrivateKey(founder).toString()], quorum: 1 }
    } as unknown as Federation
    const init = {
      federation: FEDERATION,
      peerId: desk.peerId,
      name: 'Mercy',
      role: 'member' as const,
      from: '2026-01-01T00:00:00.000Z',
      to: '2027-01-01T00:00:00.000Z'
    }
    const standing = async (credential: Credential): Promise<{ member: boolean, why: string }> => {
      await write(credential)
      return await standingOf((await verifyBundle(bundle)).header, federation)
    }
    expect(await standing({ certificate: await issueCertificate(init, founder), handovers: [] })).to.deep.equal({
      member: true,
      why: 'it is certified as member "Mercy"'
    })
    expect((await standing({ handovers: [] })).why).to.contain('NONE')
    expect((await standing({ certificate: await issueCertificate(init, desk.key), handovers: [] })).why).to.contain('WRONG_SIGNER')
    expect(
      (await standing({ certificate: await issueCertificate({ ...init, to: '2026-02-01T00:00:00.000Z' }, founder), handovers: [] })).why
    ).to.contain('EXPIRED')
    expect(await standingOf((await verifyBundle(bundle)).header, { ...federation, id: 'e'.repeat(64) })).to.include({ member: false })
  })

  it('is not made of a ledger that does not verify', async () => {
    const file = join(desk.folder, 'ledger-000001.jsonl.gz')
    const text = gunzipSync(await readFile(file)).toString('utf8')
    expect(text).to.contain('"reason":"a"')
    await writeFile(file, gzipSync(text.replace('"reason":"a"', '"reason":"z"')))
    await write().then(() => {
      throw new Error('it should be refused')
    }, (error: unknown) => {
      expect(error).to.be.instanceOf(InputError)
    })
  })
})
