import type { Exported } from './exports.ts'
import { code, page, table } from './page.ts'

/** docs/reference/api.md: every name that a program may import. */
export function apiPage (exported: readonly Exported[]): string {
  const values = exported.filter(({ kind }) => kind !== 'type')
  const rows = values.map(({ name, kind, sentence }) => [`[${code(name)}](#${name.toLowerCase()})`, kind, sentence])
  return page('Public API', [
    'What a program may `import` from `consilium`. A test runs every example; whole programs: [examples](../../examples/README.md).\n' +
    'Members and parameters of each: `npm run docs:api`.',
    '## Functions and classes',
    table(['name', 'kind', 'meaning'], rows),
    '## Types',
    table(['name', 'meaning'], exported.filter(({ kind }) => kind === 'type').map(({ name, sentence }) => [code(name), sentence])),
    '## Examples',
    ...values.flatMap(({ name, example }) => [`### ${name}`, '```ts\n' + (example ?? '') + '\n```'])
  ])
}
