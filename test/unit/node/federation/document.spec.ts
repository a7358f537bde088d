import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import { SOFTWARE } from '../../../../src/common/software.ts'
import {
  federationId,
  missingOf,
  readFederation,
  signFederation,
  writeFederation,
  type FederationBody,
  type FederationDocument
} from '../../../../src/federation/document.ts'
import { loadIdentity, loadOrCreateIdentity } from '../../../../src/federation/identity.ts'
import { createNetworkKey, readKeyRing } from '../../../../src/federation/membership/network-key.ts'
import { defaultAveraging } from '../../../../src/settings/averaging.ts'

function federationBody (founder: PrivateKey): FederationBody {
  return {
    version: 1,
    name: 'four hospitals',
    created: '2026-01-01T00:00:00.000Z',
    founders: [peerIdFromPrivateKey(founder).toString()],
    quorum: 1,
    model: {
      name: 'sam-tiny',
      imageSize: 128,
      baseHash: '0'.repeat(64),
      lora: { blocks: [0, 1], rank: 4, alpha: 8 },
      decoder: 'lora+heads',
      moe: { blocks: [1], experts: 4, topK: 2, bottleneck: 16, gate: 'token', expert: 'mlp' }
    },
    training: {
      rounds: 5,
      epochsG: 1,
      epochsL: 1,
      batchSize: 4,
      lrLora: 1e-3,
      lrHeads: 1e-3,
      lrMoe: 1e-3,
      weightDecay: 0,
      clipNorm: 1,
      warmupSteps: 0,
      lambdaG: 1,
      lambdaL: 1,
      tau: 1,
      beta: 0,
      warmupRounds: 0,
      teacherG: 'personal',
      teacherL: 'global',
      prompt: 'none',
      augment: true,
      seed: 1
    },
    averaging: defaultAveraging({ coolDownSeconds: 10 })
  }
}

async function failure (promise: Promise<unknown>): Promise<string> {
  return await promise.then(() => { throw new Error('it succeeded') }, (error: Error) => `${error.name}: ${error.message}`)
}

describe('what a federation is made of', () => {
  let folder: string
  let file: string
  let key: PrivateKey
  let document: FederationDocument

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    file = join(folder, 'federation.json')
    key = await generateKeyPair('Ed25519')
    document = await signFederation(federationBody(key), key)
    await writeFederation(file, document)
  })

  afterEach(async () => { await rm(folder, { recursive: true }) })

  async function edit (change: (value: Record<string, Record<string, unknown>>) => void): Promise<string> {
    const value = JSON.parse(await readFile(file, 'utf8')) as Record<string, Record<string, unknown>>
    change(value)
    await writeFile(file, JSON.stringify(value))
    return await failure(readFederation(file))
  }

  describe('the document', () => {
    it('is read back under the same id, whatever the order of its keys', async () => {
      const reordered = Object.fromEntries(Object.entries(document).reverse())
      await writeFile(file, JSON.stringify(reordered))
      expect((await readFederation(file)).id).to.equal(federationId(document))
    })

    it('has an id that its signatures do not change and every setting does', () => {
      expect(federationId({ ...document, signatures: [] })).to.equal(federationId(document))
      expect(federationId({ ...document, training: { ...document.training, rounds: 6 } })).not.to.equal(federationId(document))
    })

    it('may say which version created it, signed with the rest; those of a66d159 do not, and keep their id', async () => {
      const made = await signFederation({ ...federationBody(key), software: SOFTWARE }, key)
      await writeFederation(file, made)
      expect((await readFederation(file)).document.software).to.equal(SOFTWARE)
      expect(await edit((value) => { Object.assign(value, { software: '0.1.9' }) })).to.contain('was changed after its founder signed it')
      const { madeBy, federation } = JSON.parse(await readFile('test/fixtures/homes/a66d159/expected.json', 'utf8')) as
        { madeBy: string, federation: { id: string } }
      const old = await readFederation('test/fixtures/homes/a66d159/founder/federation.json')
      expect([madeBy.slice(0, 7), old.id, 'software' in old.document]).to.deep.equal(['a66d159', federation.id, false])
    })

    it('may name addresses of sites, signed with the rest; one without them says nothing of them', async () => {
      const hints = ['/dns4/relay.example/tcp/443/tls/ws']
      await writeFederation(file, await signFederation({ ...federationBody(key), hints }, key))
      expect((await readFederation(file)).document.hints).to.deep.equal(hints)
      expect(await edit((value) => { Object.assign(value, { hints: ['/ip4/10.0.0.9/tcp/1'] }) })).to.contain('was changed after')
      for (const wrong of [[], ['relay.example'], [`/dns4/${'x'.repeat(300)}/tcp/1`], Array.from({ length: 9 }, () => hints[0])]) {
        expect(await edit((value) => { Object.assign(value, { hints: wrong }) })).to.match(/is not a federation document: hints/)
      }
      await writeFederation(file, document)
      expect((await readFederation(file)).document).to.deep.equal(document)
    })

    it('of newer software that cannot be read here names both versions and what to do', async () => {
      const sentence = await edit((value) => { Object.assign(value, { software: '9.1.0', extra: {} }) })
      expect(sentence).to.contain('created by consilium 9.1.0').and.contain(`this consilium ${SOFTWARE}`).and.contain('install')
      expect(await edit((value) => { Object.assign(value, { software: '0.0.1' }) })).to.contain('is not a federation document')
    })

    it('is refused when a setting was edited', async () => {
      expect(
        await edit((value) => {
          value['training']!['rounds'] = 6
        })
      ).to.match(/^InputError: .*federation\.json was changed after its founder signed it/)
    })

    it('is refused when its name would break or colour a line of a terminal', async () => {
      for (const name of ['two\nlines', '\u001b[31mred', 'separated\u2028lines']) {
        await writeFederation(file, await signFederation({ ...federationBody(key), name }, key))
        expect(await failure(readFederation(file)), JSON.stringify(name)).to.contain(
          'is not a federation document: name: holds characters that cannot be printed'
        )
      }
    })

    it('is refused when somebody else signed it', async () => {
      const stranger = await generateKeyPair('Ed25519')
      const { signatures } = await signFederation(federationBody(key), stranger)
      await writeFederation(file, { ...document, signatures })
      expect(await failure(readFederation(file))).to.contain('who is not one of its founders')
    })

    it('is refused when it lacks signatures of its quorum', async () => {
      const other = await generateKeyPair('Ed25519')
      const two = { ...federationBody(key), quorum: 2, founders: [key, other].map((each) => peerIdFromPrivateKey(each).toString()) }
      await writeFederation(file, await signFederation(two, key))
      expect(await failure(readFederation(file))).to.contain('carries 1 of the 2 founders\' signatures')
    })

    it('lacks them also where one founder has signed twice', async () => {
      const other = await generateKeyPair('Ed25519')
      const two = { ...federationBody(key), quorum: 2, founders: [key, other].map((each) => peerIdFromPrivateKey(each).toString()) }
      const { signatures } = await signFederation(two, key)
      expect(missingOf(two, [...signatures, ...signatures])).to.equal(1)
      expect(missingOf(two, (await signFederation({ ...two, signatures }, other)).signatures)).to.equal(0)
    })

    it('is refused with the place that is wrong when it is malformed, and with advice when missing', async () => {
      expect(await edit((value) => { value['extra'] = {} })).to.contain('is not a federation document').and.contain('extra')
      expect(await edit((value) => {
        delete value['extra']
        value['training']!['epochsG'] = 0
      })).to.match(/is not a federation document: training\.epochsG: /)
      await writeFile(file, '{')
      expect(await failure(readFederation(file))).to.contain('is not valid JSON')
      await rm(file)
      expect(await failure(readFederation(file))).to.contain(
        'does not exist: run "consilium init", ask a founder for an invitation, and run "consilium join"'
      )
    })
  })

  describe('the network key', () => {
    it('is 32 random bytes that only the owner may read', async () => {
      const path = join(folder, 'network.key')
      await createNetworkKey(path)
      expect((await readKeyRing(path)).current).to.match(/^[0-9a-f]{64}$/)
      expect((await stat(path)).mode & 0o777).to.equal(0o600)
      await chmod(path, 0o640)
      expect(await failure(readKeyRing(path))).to.contain('can be read by other users')
    })

    it('is refused when missing or malformed, without being shown', async () => {
      const path = join(folder, 'network.key')
      expect(await failure(readKeyRing(path))).to.contain('does not exist: ask for an invitation')
      await writeFile(path, 'c0ffee', { mode: 0o600 })
      const message = await failure(readKeyRing(path))
      expect(message).to.contain('is not a network key').and.not.to.contain('c0ffee')
    })
  })

  describe('the identity', () => {
    it('is made once, 0600, and stays', async () => {
      const path = join(folder, 'identity.key')
      const made = await loadOrCreateIdentity(path)
      expect((await stat(path)).mode & 0o777).to.equal(0o600)
      expect((await loadOrCreateIdentity(path)).equals(made)).to.equal(true)
      expect((await loadIdentity(path)).equals(made)).to.equal(true)
    })

    it('is refused when missing, open to others, or damaged', async () => {
      const path = join(folder, 'identity.key')
      expect(await failure(loadIdentity(path))).to.contain('run "consilium init" first')
      await loadOrCreateIdentity(path)
      await chmod(path, 0o644)
      expect(await failure(loadIdentity(path))).to.contain('chmod 600')
      await rm(path)
      await writeFile(path, 'not a key', { mode: 0o600 })
      expect(await failure(loadIdentity(path))).to.contain('is not a libp2p private key')
    })
  })
})
