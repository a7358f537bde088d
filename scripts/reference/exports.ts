import { join } from 'node:path'
import ts from 'typescript'

/** One name of the public API. */
export interface Exported {
  readonly name: string
  readonly kind: 'class' | 'function' | 'type'
  readonly sentence: string
  /** TypeScript that runs as it is; none for a type. */
  readonly example: string | undefined
}

/** What src/index.ts exports, by name. */
export function readExports (root: string): Exported[] {
  const index = join(root, 'src/index.ts')
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { config: unknown }
  const program = ts.createProgram([index], ts.parseJsonConfigFileContent(config, ts.sys, root).options)
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(index)!)!
  return checker.getExportsOfModule(module)
    .map((symbol) => describe(symbol, checker))
    .sort((a, b) => a.name < b.name ? -1 : 1)
}

function describe (exported: ts.Symbol, checker: ts.TypeChecker): Exported {
  const symbol = checker.getAliasedSymbol(exported)
  const tags = symbol.getJsDocTags(checker)
  const textOf = (tag: ts.JSDocTagInfo): string => ts.displayPartsToString(tag.text)
  const said = ts.displayPartsToString(symbol.getDocumentationComment(checker))
  const throws = tags.filter((tag) => tag.name === 'throws').map((tag) => `Throws ${textOf(tag)}`)
  const example = tags.find((tag) => tag.name === 'example')
  return {
    name: exported.name,
    kind: kindOf(exported, symbol),
    sentence: [said, ...throws].join(' ').replaceAll(/\s+/g, ' ').trim(),
    example: example == null ? undefined : /```ts\n(.*)\n```/s.exec(textOf(example))?.[1]
  }
}

function kindOf (exported: ts.Symbol, { flags }: ts.Symbol): Exported['kind'] {
  const isTypeOnly = exported.declarations?.some(ts.isTypeOnlyExportDeclaration) === true
  if (isTypeOnly || (flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Function)) === 0) return 'type'
  return (flags & ts.SymbolFlags.Class) > 0 ? 'class' : 'function'
}
