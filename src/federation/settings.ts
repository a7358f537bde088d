import { readJson } from '../home/files.ts'
import { sections, type FederationSettings } from '../settings/federation-settings.ts'
import type { Preset } from '../settings/methods/index.ts'
import { checkBody, checkSettings, type FederationBody } from './document.ts'

type Json = Record<string, unknown>

function isObject (value: unknown): value is Json {
  return typeof value === 'object' && value != null && !Array.isArray(value)
}

/** What differs from the defaults, as a founder's file of settings has it. */
export type Overrides = Readonly<Json>

/** `over` wins; objects are merged, everything else is replaced. */
function merged (under: Json, over: Json): Json {
  return Object.fromEntries([...new Set([...Object.keys(under), ...Object.keys(over)])].map((key) => {
    const [low, high] = [under[key], over[key]]
    return [key, isObject(low) && isObject(high) ? merged(low, high) : key in over ? high : low]
  }))
}

/** A founder's file of settings, not yet checked. @throws InputError when it cannot be read */
export async function readOverrides (path: string): Promise<Overrides> {
  const settings = await readJson(path, 'write the settings that shall differ from the defaults, as "federation show --json" names them')
  return isObject(settings) ? settings : { settings }
}

/** Settings with what differs. @throws InputError naming the setting that is wrong; `where` names its source */
export function overridden (settings: FederationSettings, overrides: Overrides, where: string): FederationSettings {
  return checkSettings(withSettings({ ...settings }, overrides), where)
}

/** The draft of a federation as a preset has it; pFedSAM is the draft itself. @throws InputError for a draft that it does not fit */
export function withPreset (draft: FederationBody, { name, settings }: Preset): FederationBody {
  if (Object.keys(settings).length === 0) return draft
  return checkBody(withSettings({ ...draft }, { ...settings, method: { preset: name, ...settings.method } }), `the method ${name}`)
}

/**
 * The draft of a federation with what a founder's file says otherwise about model, training and averaging. @throws InputError naming
 * the setting that is wrong
 */
export async function withSettingsFile (draft: FederationBody, path: string): Promise<FederationBody> {
  return withOverrides(draft, await readOverrides(path), path)
}

/** The same with settings at hand; `where` names their source. @throws InputError naming the setting that is wrong */
export function withOverrides (draft: FederationBody, overrides: Overrides, where: string): FederationBody {
  return checkBody(withSettings({ ...draft }, overrides), where)
}

function withSettings (draft: Json, settings: Overrides): Json {
  // What else a document holds is not for a file of settings: under a strange name it fails the check, and is named.
  const renamed = Object.entries(settings).map(([key, value]): [string, unknown] =>
    [Object.hasOwn(sections, key) ? key : `settings: ${key}`, value])
  const { training = {} } = settings as { training?: Json }
  return merged(withoutOtherLength(draft, isObject(training) ? training : {}), Object.fromEntries(renamed))
}

/** A round is so many steps or so many epochs: whoever says the one takes the other out. */
function withoutOtherLength (draft: Json, over: Json): Json {
  const { training } = draft
  if (!isObject(training)) return draft
  const { stepsPerRound, epochsG, epochsL, ...rest } = training
  const epochs = 'epochsG' in over || 'epochsL' in over
  if ('stepsPerRound' in over === epochs) return draft
  if (!epochs) return { ...draft, training: { ...rest, stepsPerRound } }
  return { ...draft, training: { ...rest, epochsG: epochsG ?? 1, epochsL: epochsL ?? 1 } }
}
