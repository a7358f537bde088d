import { SOFTWARE } from '../common/software.ts'
import { InputError } from '../errors.ts'
import { checkBody, federationId, signFederation, writeFederation, type Federation, type FederationBody } from '../federation/document.ts'
import { loadOrCreateIdentity, readPeerId } from '../federation/identity.ts'
import { withHints } from '../federation/hints.ts'
import { createNetworkKey } from '../federation/membership/network-key.ts'
import { readLabels } from '../federation/labels.ts'
import { withOverrides, withPreset, withSettingsFile, type Overrides } from '../federation/settings.ts'
import { readFormerAdapter, requireSameMeaning, type FormerAdapter } from '../federation/warm-start.ts'
import { readIfThere } from '../home/files.ts'
import { sitePaths } from '../home/paths.ts'
import { writeStartAdapter } from '../home/start-adapter.ts'
import { markNewHome, requireCurrentHome } from '../home/version.ts'
import { mechanismOf } from '../privacy/mechanism.ts'
import { defaultAveraging } from '../settings/averaging.ts'
import type { Labels } from '../settings/labels.ts'
import { PRESET_NAMES, presetOf, type PresetName } from '../settings/methods/index.ts'
import { model as modelSettings } from '../settings/model.ts'
import { withinRounds } from '../settings/methods/label-free.ts'
import { defaultOf } from '../settings/setting.ts'

/** What a new federation is to be; all that is not said has the default of `consilium federation create`. */
export interface FederationInit {
  /** Of the founder; it must not belong to a federation yet. */
  readonly home: string
  readonly name: string
  /** Local rounds of every site. */
  readonly rounds: number
  /** Base model, as `consilium model list` names it; the bundled sam-tiny by default. */
  readonly model?: string
  /** Pixels, a multiple of 16; by default what suits the model. */
  readonly imageSize?: number
  /** Of the common start and the splits; 1 by default. */
  readonly seed?: number
  /** Longest exchange-only time after the last round; 120 by default. */
  readonly coolDownSeconds?: number
  /** Peer ids of further founders, who sign the document with `consilium federation sign`; 63 at most, none by default. */
  readonly founders?: readonly string[]
  /** How many founders must sign the document, an admission or a revocation; 1 by default. */
  readonly quorum?: number
  /** Addresses of sites, relays above all, that the signed document names for all others; 8 at most, none by default. */
  readonly hints?: readonly string[]
  /** By which all sites train, as docs/reference/methods.md names it: pfedsam by default, a baseline or an ablation. */
  readonly method?: PresetName
  /** What shall differ from the method in the document's sections model, training and averaging, or the path of a JSON file of it. */
  readonly settings?: Overrides | string
  /** What all sites start from instead of the seed: a file of `consilium export`, or the home of a site of another federation. */
  readonly from?: string
  /** Classes of the masks, or the path of a JSON file of them: a list, or an nnU-Net dataset.json; one class by default. */
  readonly labels?: Labels | string
}

/**
 * Founds a federation with this home's key as its founder, or the first of several. @throws InputError naming the setting that is wrong
 * @example
 * ```ts
 * import { createFederation } from 'consilium'
 *
 * const settings = { training: { batchSize: 2 } }
 * const { document } = await createFederation({ home: 'home', name: 'Two towns', rounds: 2, settings })
 * console.log(document.model.name, document.training.batchSize) // sam-tiny 2
 * ```
 */
export async function createFederation (init: FederationInit): Promise<Federation> {
  const { founders = [], quorum = 1 } = init
  const paths = sitePaths(init.home)
  await requireCurrentHome(init.home)
  if (await readIfThere(paths.federation) != null) {
    throw new InputError(`${paths.federation} exists already: choose another --home, since replacing it would cut this site off`)
  }
  // A larger one would count as the number of founders, and a document that says otherwise misleads.
  if (quorum > founders.length + 1) throw new InputError('the quorum must be a whole number from 1 to the number of founders')
  const former = init.from == null ? undefined : await readFormerAdapter(init.from)
  await markNewHome(init.home)
  const key = await loadOrCreateIdentity(paths.identity)
  const draft = await draftOf(init, paths.models, [await readPeerId(paths.identity), ...founders], former)
  const document = await signFederation(draft, key)
  if (former != null) await writeStartAdapter(paths.startAdapter, former.tensors)
  await createNetworkKey(paths.networkKey)
  await writeFederation(paths.federation, document)
  return { id: federationId(document), document }
}

async function draftOf (
  init: FederationInit,
  models: string,
  founders: readonly string[],
  former: FormerAdapter | undefined
): Promise<FederationBody> {
  const { name, rounds, model: base = 'sam-tiny', imageSize, seed = 1, coolDownSeconds = 120, quorum = 1 } = init
  const { method = PRESET_NAMES[0], settings = {}, labels } = init
  // Loaded by the first call: it brings the tensor library.
  const { checkModel, checkStart, forClasses, modelSection, trainingSection } = await import('./fit-settings.ts')
  const model = { ...await modelSection(models, base, imageSize), window: defaultOf(modelSettings.shape.window) }
  const { settings: whole, ...named } = presetOf(method)
  const preset = withPreset({
    version: 1,
    name,
    created: new Date().toISOString(),
    software: SOFTWARE,
    founders: [...new Set(founders)],
    quorum,
    model,
    training: trainingSection(model, { rounds, seed }),
    averaging: defaultAveraging({ coolDownSeconds }),
    ...(former == null ? {} : { start: { adapter: former.digest } }),
    ...withHints(init.hints)
  }, { ...named, settings: withinRounds(whole, rounds) })
  const classes = labels == null ? undefined : checkBody({ ...preset, labels: await readLabels(labels) }, 'what --labels says').labels
  const draft = classes == null ? preset : forClasses({ ...preset, labels: classes }, classes)
  const body = typeof settings === 'string'
    ? await withSettingsFile(draft, settings)
    : withOverrides(draft, settings, 'what createFederation was given')
  checkModel(body.model, body.method, body.labels)
  if (former != null) {
    requireSameMeaning(former, body)
    checkStart(former, body)
  }
  mechanismOf(body)
  return body
}
