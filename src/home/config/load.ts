import { z } from 'zod'
import { parseJson } from '../../common/parse-json.ts'
import { InputError, UsageError } from '../../errors.ts'
import { bare, flagName, variableName } from '../../settings/setting.ts'
import { siteConfig, type SiteConfig, type SiteSettings } from '../../settings/site/site-config.ts'
import { readIfThere, writeJson } from '../files.ts'

/** CONSILIUM_LOG_LEVEL → logLevel; lists are separated by commas. */
export function settingsFromEnvironment (env: NodeJS.ProcessEnv): Record<string, unknown> {
  const settings: Record<string, unknown> = {}
  for (const [key, type] of Object.entries(siteConfig.shape)) {
    const value = env[variableName(key)]
    if (value != null && value !== '') settings[key] = read(bare(type), value)
  }
  return settings
}

function read (type: z.core.$ZodType, text: string): unknown {
  if (type instanceof z.ZodArray) return text.split(',')
  return type instanceof z.ZodBoolean && /^(true|false)$/.test(text) ? text === 'true' : text
}

/**
 * Merges file < environment < flags and checks the result. @throws InputError, or UsageError for a flag, naming every wrong setting as
 * it was given; `path` is the file.
 */
export function mergeSettings (
  file: Record<string, unknown>,
  environment: Record<string, unknown>,
  flags: Record<string, unknown>,
  path = 'config.json'
): SiteConfig {
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))
  const parsed = siteConfig.safeParse({ ...file, ...environment, ...given })
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') return `${path}: there is no setting ${issue.keys.join(', ')}`
    const key = String(issue.path[0])
    return `${key in given ? `--${flagName(key)}` : key in environment ? variableName(key) : `${path}: ${key}`} ${issue.message}`
  })
  const Fault = parsed.error.issues.some((issue) => String(issue.path[0]) in given) ? UsageError : InputError
  throw new Fault(`wrong settings: ${[...new Set(problems)].join('; ')}`)
}

/**
 * A site's settings: its config.json < CONSILIUM_… of the environment < `flags`. @throws InputError, or UsageError for a flag
 * @example
 * ```ts
 * import { loadConfig, sitePaths } from 'consilium'
 *
 * const config = await loadConfig(sitePaths('home').config, { listen: ['/ip4/127.0.0.1/tcp/0'] })
 * console.log(config.nice) // 10
 * ```
 */
export async function loadConfig (path: string, flags: Record<string, unknown>, env: NodeJS.ProcessEnv = process.env): Promise<SiteConfig> {
  return mergeSettings(await readConfigFile(path), settingsFromEnvironment(env), flags, path)
}

/** Keeps what the file says and replaces the given settings. */
export async function mergeIntoConfigFile (path: string, settings: SiteSettings): Promise<void> {
  await writeJson(path, { ...await readConfigFile(path), ...settings })
}

async function readConfigFile (path: string): Promise<Record<string, unknown>> {
  const bytes = await readIfThere(path)
  if (bytes == null) return {}
  const value = parseJson(bytes.toString('utf8'))
  if (typeof value === 'object' && value != null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new InputError(`${path} is not a JSON object: mend it or remove it`)
}
