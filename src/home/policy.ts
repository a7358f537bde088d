import { parseJson } from '../common/parse-json.ts'
import { InputError } from '../errors.ts'
import { NO_POLICY, policy, type Policy } from '../settings/site/policy.ts'
import { readIfThere } from './files.ts'

/** A site's own policy; none where there is no file. @throws InputError naming every line that is wrong */
export async function readPolicy (path: string): Promise<Policy> {
  const bytes = await readIfThere(path)
  if (bytes == null) return NO_POLICY
  const parsed = policy.safeParse(parseJson(bytes.toString('utf8')))
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path: where, message }) => `${where.join('.') || 'policy'}: ${message}`)
  throw new InputError(`${path} is no policy (docs/studies.md): ${faults.join('; ')}`)
}
