/**
 * Two sites on their own files and trainer processes, through the daemon's own rounds; their exchanges come in a fixed order and
 * without wires.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { PrivateSet } from '../../src/adapter/private-set.ts'
import { readFloatTensors } from '../../src/adapter/safetensors.ts'
import { Auditor } from '../../src/audit/auditor.ts'
import { signFederation, writeFederation, type FederationDocument } from '../../src/federation/document.ts'
import { writeIdentity } from '../../src/federation/identity.ts'
import { mergeSettings } from '../../src/home/config/load.ts'
import { sitePaths } from '../../src/home/paths.ts'
import { markNewHome } from '../../src/home/version.ts'
import { openAdapter, openSite, trainerSetup } from '../../src/node/site.ts'
import { TrainerProcess } from '../../src/node/trainer-process.ts'
import { createLogger } from '../../src/rounds/logger.ts'
import { defaultAveraging } from '../../src/settings/averaging.ts'
import { modelSection, trainingSection } from '../../src/site-model/fit-settings.ts'
import { floatsDigest, privateDigest } from './hash.ts'
import { trainInOrder, type OrderedSite } from './train-in-order.ts'

const ROUNDS = 3
const HOSPITALS = ['hospital-a', 'hospital-b'] as const
const CREATED = '2026-01-01T00:00:00.000Z'

type Running = OrderedSite & { readonly audit: Auditor }

interface SiteEnd {
  readonly schema: string
  readonly adapter: string
  readonly experts: string
  readonly dice: readonly unknown[]
}

/** What both sites hold after three rounds. */
export async function daemonDigests (samples = join(process.cwd(), 'samples', 'colin27')): Promise<readonly SiteEnd[]> {
  const folder = await mkdtemp(join(tmpdir(), 'consilium-digests-'))
  const running: Running[] = []
  try {
    const keys = await Promise.all(
      HOSPITALS.map(async (name) => await generateKeyPairFromSeed('Ed25519', createHash('sha256').update(name).digest()))
    )
    const document = await createDocument(folder, keys[0]!)
    for (const [index, name] of HOSPITALS.entries()) {
      running.push(await openRunning(join(folder, name), join(samples, name), { document, key: keys[index]! }))
    }
    await trainInOrder(running, { from: 1, to: ROUNDS })
    return await Promise.all(running.map(async (each) => await endOf(each)))
  } finally {
    for (const { trainer, state, audit } of running) {
      await trainer.stop()
      await state.log.close()
      await audit.close('done')
    }
    await rm(folder, { recursive: true })
  }
}

async function createDocument (folder: string, key: PrivateKey): Promise<FederationDocument> {
  return await signFederation({
    version: 1,
    name: 'digests',
    created: CREATED,
    founders: [peerIdFromPrivateKey(key).toString()],
    quorum: 1,
    model: await modelSection(folder, 'sam-tiny'),
    training: { ...trainingSection({ name: 'sam-tiny' }, { rounds: ROUNDS, seed: 1 }), stepsPerRound: undefined, epochsG: 1, epochsL: 1 },
    averaging: defaultAveraging({ coolDownSeconds: 1 })
  }, key)
}

async function openRunning (
  home: string,
  data: string,
  { document, key }: { readonly document: FederationDocument, readonly key: PrivateKey }
): Promise<Running> {
  const paths = sitePaths(home)
  await markNewHome(home)
  await writeIdentity(paths.identity, key)
  await writeFederation(paths.federation, document)
  const config = { ...mergeSettings({ data, threads: 1, provider: 'cpu', engine: 'onnx' }, {}, {}), data }
  const site = await openSite({ home, config, logger: createLogger('silent') })
  const audit = new Auditor({
    folder: paths.audit,
    key,
    peerId: site.peerId,
    federation: site.federation.id,
    now: Date.now,
    onFailure: () => {}
  })
  await audit.open()
  const trainer = new TrainerProcess({ setup: trainerSetup(site), nice: 0 })
  const others = { rootOf: (partner: string) => partner, mostRounds: () => ROUNDS }
  return { site, state: await openAdapter(site, await trainer.start(), audit, others), trainer, audit }
}

async function endOf ({ site: { paths, metrics }, state: { averager, schema } }: Running): Promise<SiteEnd> {
  const { tensors } = readFloatTensors(await readFile(join(paths.privateStore, 'experts.safetensors')))
  return {
    schema: schema.hash,
    adapter: floatsDigest(averager.snapshot()),
    experts: privateDigest(new PrivateSet(tensors)),
    dice: metrics.records.map(({ dice, lossG, lossL }) => ({ ...dice, lossG, lossL }))
  }
}
