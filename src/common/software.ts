/** Version of this software: that of package.json, to which a test holds it. */
export const SOFTWARE = '0.2.0'

/** What a version may look like; others' are untrusted. */
export const VERSION_TEXT = /^[\w.+-]{1,40}$/

/** Below 0 where `a` is the older, above 0 where it is the newer. */
export function compareVersions (a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
