import type { FederationSettings } from '../federation-settings.ts'
import type { DecoderMode, LoraAggregation, Mode, ModelSettings } from '../model.ts'
import type { TrainSettings } from '../training.ts'

type Averaging = FederationSettings['averaging']

/** How sites' adapters come together after phase G of each round. */
type Mixing = 'nothing' | 'alone' | 'pooled' | 'server' | 'gossip'

/** One way to train, all through the same Learner. */
export interface Method {
  readonly name: string
  /** As the report says it. */
  readonly title: string
  readonly mixing: Mixing
  /** What a site serves to its own patients. */
  readonly mode: Mode
  /** Tensors of the adapter that a site keeps. */
  readonly keeps?: RegExp
  /** Share of the rounds, the last ones, in which every site trains alone. */
  readonly alone?: number
  readonly model?: (settings: ModelSettings) => ModelSettings
  readonly train?: (settings: TrainSettings) => TrainSettings
  readonly averaging?: (settings: Averaging) => Averaging
  readonly ablation?: true
  /** Run only when asked for by name. */
  readonly extra?: true
  /** How much longer a step takes than with LoRA. */
  readonly cost?: number
}

function withoutExperts (settings: ModelSettings): ModelSettings {
  return { ...settings, moe: { ...settings.moe, blocks: [] } }
}

/** Phase L is empty without experts: its epochs go to phase G, so that every method takes as many steps. */
function onlyPhaseG (settings: TrainSettings): TrainSettings {
  return { ...settings, epochsG: settings.epochsG + settings.epochsL, epochsL: 0 }
}

/**
 * Rates of all parameters, of bottlenecks and the whole decoder, and of LoRA on all sites' images at once: the default, meant for few
 * numbers and an average of sites, ruins training there (docs/evidence.md).
 */
const FULL_RATE = 3e-4
const DECODER_RATE = 3e-3
const POOLED_RATE = 6e-3

function atRate (rate: number): (settings: TrainSettings) => TrainSettings {
  return (settings) => ({ ...onlyPhaseG(settings), lrLora: rate, lrHeads: rate })
}

const PLAIN = { mode: 'global', model: withoutExperts, train: onlyPhaseG } as const
const GOSSIP = { mixing: 'gossip', mode: 'personal', ablation: true } as const

function decoder (mode: DecoderMode): (settings: ModelSettings) => ModelSettings {
  return (settings) => ({ ...settings, decoder: mode })
}

function aggregated (aggregation: LoraAggregation): (settings: ModelSettings) => ModelSettings {
  return (settings) => ({ ...settings, lora: { ...settings.lora, aggregation } })
}

function talkative (settings: Averaging): Averaging {
  return { ...settings, initiationsPerRound: 2 * settings.initiationsPerRound }
}

/**
 * docs/spec/pfedsam.md#baselines and #ablations; those run only by name come last, so that the others' colours in a report do not
 * depend on them.
 */
export const METHODS: readonly Method[] = [
  { name: 'frozen', title: 'frozen SAM', mixing: 'nothing', ...PLAIN, mode: 'frozen' },
  { name: 'local', title: 'local only (LoRA + L-MoE)', mixing: 'alone', mode: 'personal' },
  { name: 'centralised', title: 'centralised (upper bound)', mixing: 'pooled', ...PLAIN, train: atRate(POOLED_RATE) },
  { name: 'fedavg-lora', title: 'FedAvg-LoRA', mixing: 'server', ...PLAIN },
  { name: 'fedavg-tuned', title: 'FedAvg-LoRA, then tuned alone', mixing: 'server', ...PLAIN, alone: 0.25 },
  {
    name: 'fedsam',
    title: 'FedSAM (all parameters)',
    mixing: 'server',
    mode: 'global',
    model: (settings) => ({ ...withoutExperts(settings), encoder: 'full', decoder: 'full' }),
    train: atRate(FULL_RATE),
    cost: 1.6
  },
  {
    name: 'fedmsa',
    title: 'FedMSA-like (bottlenecks, decoder)',
    mixing: 'server',
    mode: 'global',
    model: (settings) => ({ ...withoutExperts(settings), encoder: 'bottleneck', decoder: 'full' }),
    train: atRate(DECODER_RATE),
    cost: 1.2
  },
  { name: 'fedper', title: 'FedPer-like (decoder local)', mixing: 'server', ...PLAIN, keeps: /^mask_decoder\./ },
  { name: 'pfedsam-server', title: 'pFedSAM, exact average', mixing: 'server', mode: 'personal' },
  { name: 'pfedsam-gossip', title: 'pFedSAM by gossip', mixing: 'gossip', mode: 'personal' },
  {
    name: 'no-distillation',
    title: 'no distillation',
    ...GOSSIP,
    train: (settings) => ({ ...settings, teacherG: 'none', teacherL: 'none' })
  },
  { name: 'no-moe', title: 'no L-MoE', ...GOSSIP, ...PLAIN },
  { name: 'lambda-l-0', title: 'λ_L = 0', ...GOSSIP, train: (settings) => ({ ...settings, lambdaL: 0 }) },
  {
    name: 'teacher-g-global',
    title: 'phase G taught by the global model',
    ...GOSSIP,
    train: (settings) => ({ ...settings, teacherG: 'global' })
  },
  { name: 'teacher-g-none', title: 'phase G without teacher', ...GOSSIP, train: (settings) => ({ ...settings, teacherG: 'none' }) },
  { name: 'ffa', title: 'B of LoRA alone travels', ...GOSSIP, model: aggregated('ffa') },
  { name: 'product-svd', title: 'the product of LoRA travels', ...GOSSIP, model: aggregated('product-svd') },
  { name: 'mask-head', title: 'the whole mask head in Γ', ...GOSSIP, model: decoder('lora+mask-head') },
  { name: 'talkative', title: 'twice as many exchanges', ...GOSSIP, averaging: talkative },
  {
    name: 'image-gate',
    title: 'one gate per image',
    ...GOSSIP,
    model: (settings) => ({ ...settings, moe: { ...settings.moe, gate: 'image' } })
  },
  { name: 'local-lora', extra: true, title: 'local only (LoRA)', mixing: 'alone', ...PLAIN },
  {
    name: 'experts-first',
    extra: true,
    title: 'experts fitted before the exchange',
    ...GOSSIP,
    train: (settings) => ({ ...settings, order: 'GL-local' })
  },
  {
    name: 'features',
    extra: true,
    title: 'distillation by features',
    ...GOSSIP,
    train: (settings) => ({ ...settings, distil: 'features' })
  },
  { name: 'lora-decoder', extra: true, title: 'decoder of LoRA alone', ...GOSSIP, model: decoder('lora') }
]
