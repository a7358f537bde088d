import { EPISODE } from '../settings/methods/generalising.ts'
import { PRETRAINING } from '../settings/methods/label-free.ts'
import { KL, MIXUP } from '../settings/methods/mixing.ts'
import type { Preset, PresetName } from '../settings/methods/index.ts'
import { STRUCTURE, TURNS } from '../settings/methods/weak.ts'
import type { Mode } from '../settings/model.ts'

/** How sites' adapters come together: by gossip as in a federation, by a server's exact average, or not at all. */
type Mixing = 'nothing' | 'alone' | 'pooled' | 'server' | 'gossip'

/** One row of an experiment: a method, and how it is run here. */
export interface Method {
  readonly name: string
  /** As the report says it. */
  readonly title: string
  /** What its sites train. */
  readonly preset: PresetName
  readonly mixing: Mixing
  /** What a site serves to its own patients. */
  readonly mode: Mode
  /** What only this row changes of the preset. */
  readonly settings?: Preset['settings']
  /** Share of the rounds, the last ones, in which every site trains alone. */
  readonly alone?: number
  readonly ablation?: true
  /** Run only when asked for by name. */
  readonly extra?: true
  /** It trains as many rounds as others have that look at labels, where a preset has so many label-free ones before. */
  readonly without?: number
  /** How much longer a step takes than with LoRA. */
  readonly cost?: number
}

/**
 * Of LoRA on all sites' images at once: the default, meant for an average of sites, ruins training there
 * (docs/evidence.md#on-the-phantoms).
 */
const POOLED_RATE = 6e-3
/** Of DP-SGD a step takes two of 20 patients (docs/privacy.md#what-it-costs). */
const PATIENTS = { unit: 'patient', epsilon: 8, delta: 1e-3, clip: 1, rate: 0.1 } as const
const SITES = { unit: 'site', epsilon: 8, delta: 1e-5, clip: 1 } as const
/** Who promises privacy weighs all sites alike. */
const UNIFORM = { averaging: { weighting: 'uniform' } } as const
/** Of three passes in each step, one to learn where to try. */
const LOOKS = { preset: 'feddg', mixing: 'server', mode: 'global', extra: true, cost: 3 } as const
/** The encoder runs for another model, too. */
const ALIGNED = { mixing: 'server', mode: 'global', extra: true, cost: 1.4 } as const
/** docs/spec/mixing.md */
const ROBUST = { preset: 'drflm', mixing: 'gossip', mode: 'personal', extra: true } as const
const UNITWISE = { preset: 'fca', mixing: 'server', mode: 'personal', extra: true } as const
const RELATED = { preset: 'apple', mixing: 'gossip', mode: 'personal', extra: true } as const
/** docs/spec/weak.md: a tree for each image of a step, and steps that learn what to take of the average beside those of a round. */
const WEAK_COST = { whole: 3.2, noMix: 2.4, noStructure: 1.8 } as const
const WEAK = { preset: 'fedicra', mixing: 'gossip', mode: 'personal', extra: true } as const
/** docs/spec/teachers.md: two teachers see half of a batch of twice the images. */
const SEMI = { preset: 'fedsemidg', mixing: 'server', mode: 'global', extra: true, cost: 3.6 } as const
/** What of those methods shows what a part is worth. */
const PART = { ablation: true } as const
/** docs/spec/label-free.md: two looks, which the mean and the common start see, too, in a part of the rounds. */
const UNLABELLED = { preset: 'fedu', mixing: 'server', mode: 'global', extra: true, cost: 2 } as const
const CLUSTERED = { preset: 'spp-fgc', mixing: 'gossip', mode: 'global', extra: true } as const
/** docs/spec/weak.md#pseudo-masks: batches of twice the images, a second model beside, and views of images as a round begins. */
const GUESSING = { preset: 'iscos', mixing: 'server', mode: 'global', extra: true, cost: 3 } as const
const GOSSIP = { mixing: 'gossip', mode: 'personal', ablation: true } as const

/**
 * docs/spec/pfedsam.md#baselines and #ablations; those run only by name come last, so that the others' colours in a report do not depend
 * on them.
 */
export const METHODS: readonly Method[] = [
  { name: 'frozen', title: 'frozen SAM', preset: 'fedavg-lora', mixing: 'nothing', mode: 'frozen' },
  { name: 'local', title: 'local only (LoRA + L-MoE)', preset: 'pfedsam', mixing: 'alone', mode: 'personal' },
  {
    name: 'centralised',
    title: 'centralised (upper bound)',
    preset: 'fedavg-lora',
    mixing: 'pooled',
    mode: 'global',
    settings: { training: { lrLora: POOLED_RATE, lrHeads: POOLED_RATE } }
  },
  { name: 'fedavg-lora', title: 'FedAvg-LoRA', preset: 'fedavg-lora', mixing: 'server', mode: 'global' },
  { name: 'fedavg-tuned', title: 'FedAvg-LoRA, then tuned alone', preset: 'fedavg-lora', mixing: 'server', mode: 'global', alone: 0.25 },
  { name: 'fedsam', title: 'FedSAM (all parameters)', preset: 'fedsam', mixing: 'server', mode: 'global', cost: 1.6 },
  { name: 'fedmsa', title: 'FedMSA-like (bottlenecks, decoder)', preset: 'fedmsa', mixing: 'server', mode: 'global', cost: 1.2 },
  { name: 'fedper', title: 'FedPer-like (decoder local)', preset: 'fedper', mixing: 'server', mode: 'personal' },
  { name: 'pfedsam-server', title: 'pFedSAM, exact average', preset: 'pfedsam', mixing: 'server', mode: 'personal' },
  { name: 'pfedsam-gossip', title: 'pFedSAM by gossip', preset: 'pfedsam', mixing: 'gossip', mode: 'personal' },
  { name: 'adaptive', title: 'adaptive, by gossip', preset: 'adaptive', mixing: 'gossip', mode: 'personal' },
  { name: 'no-distillation', title: 'no distillation', preset: 'no-distillation', ...GOSSIP },
  { name: 'no-moe', title: 'no L-MoE', preset: 'no-moe', ...GOSSIP, mode: 'global' },
  { name: 'lambda-l-0', title: 'λ_L = 0', preset: 'lambda-l-0', ...GOSSIP },
  { name: 'teacher-g-global', title: 'phase G taught by the global model', preset: 'teacher-g-global', ...GOSSIP },
  { name: 'teacher-g-none', title: 'phase G without teacher', preset: 'teacher-g-none', ...GOSSIP },
  { name: 'ffa', title: 'B of LoRA alone travels', preset: 'ffa', ...GOSSIP },
  { name: 'product-svd', title: 'the product of LoRA travels', preset: 'product-svd', ...GOSSIP },
  { name: 'mask-head', title: 'the whole mask head in Γ', preset: 'mask-head', ...GOSSIP },
  { name: 'talkative', title: 'twice as many exchanges', preset: 'talkative', ...GOSSIP },
  { name: 'image-gate', title: 'one gate per image', preset: 'image-gate', ...GOSSIP },
  {
    name: 'pfedsam-sealed',
    title: 'pFedSAM by gossip, sealed in groups',
    preset: 'pfedsam',
    ...GOSSIP,
    settings: { averaging: { secure: { mode: 'sealed' } } },
    extra: true
  },
  { name: 'local-lora', title: 'local only (LoRA)', preset: 'fedavg-lora', mixing: 'alone', mode: 'global', extra: true },
  { name: 'experts-first', title: 'experts fitted before the exchange', preset: 'experts-first', ...GOSSIP, extra: true },
  { name: 'features', title: 'distillation by features', preset: 'features', ...GOSSIP, extra: true },
  { name: 'lora-decoder', title: 'decoder of LoRA alone', preset: 'lora-decoder', ...GOSSIP, extra: true },
  { name: 'dp-site', title: 'DP of sites, ε 8', preset: 'pfedsam', settings: { ...UNIFORM, privacy: SITES }, ...GOSSIP, extra: true },
  {
    name: 'dp-patient',
    title: 'DP of patients, ε 8',
    preset: 'teacher-g-global',
    settings: { ...UNIFORM, privacy: PATIENTS },
    ...GOSSIP,
    extra: true
  },
  { name: 'gin', title: 'FedAvg-LoRA with GIN', preset: 'gin', mixing: 'server', mode: 'global', extra: true },
  {
    name: 'gin-half',
    title: 'FedAvg-LoRA with GIN on half of the images',
    preset: 'gin',
    mixing: 'server',
    mode: 'global',
    settings: { training: { views: { kind: 'gin', share: 0.5 } } },
    extra: true
  },
  {
    name: 'structure',
    title: 'FedAvg-LoRA with tree energy and gated CRF',
    preset: 'partial',
    mixing: 'server',
    mode: 'global',
    cost: WEAK_COST.noMix,
    settings: { training: { structure: STRUCTURE } },
    extra: true
  },
  { name: 'fedicra', title: 'FedICRA', ...WEAK, cost: WEAK_COST.whole },
  {
    name: 'fedicra-no-mix',
    title: 'FedICRA without element mix',
    ...WEAK,
    ...PART,
    cost: WEAK_COST.noMix,
    settings: { method: { elementMix: undefined } }
  },
  {
    name: 'fedicra-turns',
    title: 'FedICRA with alternation',
    ...WEAK,
    ...PART,
    cost: WEAK_COST.whole,
    settings: { method: { alternate: TURNS } }
  },
  {
    name: 'fedicra-no-contrast',
    title: 'FedICRA without site contrast',
    ...WEAK,
    ...PART,
    cost: WEAK_COST.whole,
    settings: { method: { siteContrast: undefined } }
  },
  {
    name: 'fedicra-no-structure',
    title: 'FedICRA without tree energy and gated CRF',
    ...WEAK,
    ...PART,
    cost: WEAK_COST.noStructure,
    settings: { training: { structure: undefined } }
  },
  {
    name: 'strong',
    title: 'FedAvg-LoRA with strong changes of shape, contrast and noise',
    preset: 'gin',
    mixing: 'server',
    mode: 'global',
    settings: { training: { views: { kind: 'strong', share: 1 } } },
    extra: true
  },
  { name: 'cpss', title: 'FedAvg-LoRA with CPSS', preset: 'cpss', mixing: 'server', mode: 'global', extra: true },
  {
    name: 'cpss-always',
    title: 'FedAvg-LoRA with CPSS in every step',
    preset: 'cpss',
    mixing: 'server',
    mode: 'global',
    settings: { training: { swap: { probability: 1 } } },
    extra: true
  },
  { name: 'feddg', title: 'FedDG', ...LOOKS },
  { name: 'feddg-dc', title: 'FedDG, mean brightness alone', ...LOOKS, settings: { training: { episode: { window: 0 } } } },
  { name: 'feddg-no-contrast', title: 'FedDG without boundary contrast', ...LOOKS, settings: { training: { episode: { contrast: 0 } } } },
  {
    name: 'feddg-own',
    title: "FedDG with each site's own looks alone",
    ...LOOKS,
    preset: 'fedavg-lora',
    settings: { training: { augment: true, episode: EPISODE } }
  },
  { name: 'fedda-joint', title: 'FedDA-like, joint', preset: 'fedda-joint', ...ALIGNED },
  { name: 'fedda-cyclic', title: 'FedDA-like, cyclic', preset: 'fedda-cyclic', ...ALIGNED },
  { name: 'fedda-moments', title: 'FedDA-like, by moments', ...ALIGNED, preset: 'fedda-moments', cost: 1 },
  { name: 'fedda-mmd', title: 'FedDA-like, by MMD', preset: 'fedda-mmd', ...ALIGNED },
  { name: 'drflm', title: 'DRFLM', ...ROBUST },
  { name: 'robust', title: 'pFedSAM, sites served worst count more', ...ROBUST, preset: 'pfedsam', settings: { method: { robust: KL } } },
  {
    name: 'mixup',
    title: 'pFedSAM with mixed images',
    ...ROBUST,
    preset: 'pfedsam',
    settings: { training: { augment: true, mixup: MIXUP } }
  },
  {
    name: 'robust-loss',
    title: 'the same by the loss itself',
    ...ROBUST,
    preset: 'pfedsam',
    settings: { method: { robust: { ...KL, excess: false } } }
  },
  { name: 'fca', title: 'FCA, smooth', ...UNITWISE },
  { name: 'fca-binary', title: 'FCA, binary', ...UNITWISE, settings: { method: { units: { update: 'binary' } } } },
  {
    name: 'fca-common',
    title: 'FCA, what is common lands',
    ...UNITWISE,
    settings: { method: { units: { contributes: 'common' } } }
  },
  { name: 'apple', title: 'APPLE', ...RELATED },
  { name: 'apple-layer', title: 'APPLE, layer by layer', ...RELATED, settings: { method: { relations: { by: 'layer' } } } },
  { name: 'spp-fgc', title: 'SPP-FGC', ...CLUSTERED },
  {
    name: 'spp-fgc-one',
    title: 'SPP-FGC, all sites one cluster',
    ...CLUSTERED,
    settings: { method: { clusters: { count: 1 } } }
  },
  {
    name: 'spp-fgc-decoder',
    title: 'SPP-FGC, the decoder by alike sites',
    ...CLUSTERED,
    settings: { method: { clusters: { own: ['^mask_decoder\\.'] } } }
  },
  { name: 'fedsemidg', title: 'FedSemiDG', ...SEMI },
  {
    name: 'fedsemidg-equal',
    title: 'FedSemiDG, all sites count alike',
    ...SEMI,
    ...PART,
    settings: { method: { generalisation: { step: 0 } } }
  },
  {
    name: 'fedsemidg-no-features',
    title: 'FedSemiDG without perturbed features',
    ...SEMI,
    ...PART,
    settings: { training: { perturbedFeatures: { weight: 0 } } }
  },
  {
    name: 'fedsemidg-full',
    title: 'FedSemiDG, teachers at full weight',
    ...SEMI,
    ...PART,
    settings: { training: { dualTeacher: { weight: 1 } } }
  },
  {
    name: 'mean-teacher',
    title: 'FedSemiDG, by the mean of what is trained alone',
    ...SEMI,
    ...PART,
    settings: {
      training: { dualTeacher: { teachers: ['ema'] }, perturbedFeatures: { weight: 0 } },
      method: { generalisation: { step: 0 } }
    }
  },
  { name: 'fedu', title: 'FedU', ...UNLABELLED },
  { name: 'fedu-unaligned', title: 'FedU, not aligned', ...UNLABELLED, ...PART, settings: { method: { pretrain: { align: 0 } } } },
  {
    name: 'fedema',
    title: 'FedU, from a part of its own (FedEMA)',
    ...UNLABELLED,
    ...PART,
    settings: { method: { pretrain: { stay: 0.7 } } }
  },
  { name: 'fedca', title: 'FedCA', ...UNLABELLED, preset: 'fedca' },
  {
    name: 'fedca-unaligned',
    title: 'FedCA, not aligned',
    ...UNLABELLED,
    ...PART,
    preset: 'fedca',
    settings: { method: { pretrain: { align: 0 } } }
  },
  {
    name: 'partial-fewer',
    title: 'FedAvg-LoRA on what is marked, in as many rounds with labels as FedU',
    preset: 'partial',
    mixing: 'server',
    mode: 'global',
    settings: { training: { augment: true }, averaging: { weighting: 'uniform' } },
    extra: true,
    without: PRETRAINING.rounds
  },
  { name: 'partial', title: 'FedAvg-LoRA on what is marked', preset: 'partial', mixing: 'server', mode: 'global', extra: true },
  { name: 'partial-alone', title: 'local only (LoRA) on what is marked', preset: 'partial', mixing: 'alone', mode: 'global', extra: true },
  {
    name: 'pfedsam-partial',
    title: 'pFedSAM by gossip on what is marked',
    preset: 'pfedsam',
    mixing: 'gossip',
    mode: 'personal',
    settings: { training: { supervision: ['mask', 'block', 'scribble', 'points', 'box'] } },
    extra: true
  },
  { name: 'iscos', title: 'ISCOS', ...GUESSING },
  {
    name: 'iscos-masks',
    title: 'ISCOS, its pseudo-masks alone',
    ...GUESSING,
    ...PART,
    settings: { method: { teacher: { weight: 0 }, uncertaintyAware: 0 } }
  },
  {
    name: 'iscos-full',
    title: 'ISCOS, guesses at full weight',
    ...GUESSING,
    ...PART,
    settings: { method: { pseudo: { weight: 1 }, teacher: { weight: 0.1 }, uncertaintyAware: 2 } }
  },
  {
    name: 'iscos-all',
    title: 'ISCOS, every pseudo-mask used',
    ...GUESSING,
    ...PART,
    settings: { method: { pseudo: { absolute: 1, relative: 1e6 } } }
  },
  { name: 'site-norms', title: 'FedAvg-LoRA, norms local', preset: 'site-norms', mixing: 'server', mode: 'personal', extra: true }
]
