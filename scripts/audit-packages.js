/**
 * Asks the registry for advisories on the packages of the lockfile that users get; ends with 1 where one is high or critical. A registry
 * without such an answer (a mirror, no network) is said, and is no failure: what is not known is no finding.
 */
import { spawnSync } from 'node:child_process'

const { stdout } = spawnSync('npm', ['audit', '--json', '--omit=dev', '--audit-level=high'], { encoding: 'utf8' })
const { vulnerabilities, metadata } = parse(stdout)
if (vulnerabilities == null || metadata == null) {
  console.log('no audit: this registry answers no question for advisories, or cannot be reached')
} else {
  const found = Object.values(vulnerabilities).filter(({ severity }) => severity === 'high' || severity === 'critical')
  for (const { name, severity, range } of found) console.log(`${name} ${range}: ${severity}`)
  console.log(`${metadata.dependencies.prod} packages, ${found.length} with advisories that are high or critical`)
  if (found.length > 0) process.exitCode = 1
}

function parse (text) {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
