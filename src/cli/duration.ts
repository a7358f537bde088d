import { UsageError } from '../errors.ts'

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const LONGEST_DAYS = 3_650
const LONGEST_MS = LONGEST_DAYS * UNITS['d']!

/** "30d", "12h", "15m" or "10s" in milliseconds, from one second to ten years. @throws UsageError naming the flag. */
export function parseDuration (text: string, flag: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const ms = Number(count) * (UNITS[unit ?? ''] ?? NaN)
  if (!(ms >= 1_000 && ms <= LONGEST_MS)) {
    throw new UsageError(`--${flag} must be a time such as 30d, 12h, 15m or 10s, and ${LONGEST_DAYS}d at most, not ${text}`)
  }
  return ms
}
