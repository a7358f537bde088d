import { byBytes, askNpm, type Package } from './contents.ts'

interface Component { readonly name: string, readonly version: string, readonly 'bom-ref': string, readonly properties?: Property[] }
interface Property { readonly name: string, readonly value: string }
interface Bill {
  readonly serialNumber?: string
  readonly metadata: { readonly timestamp: string, readonly component: Component }
  readonly components: Component[]
  readonly dependencies: { readonly ref: string, readonly dependsOn: string[] }[]
}

/** The bill of materials of these packages (CycloneDX), as npm writes it, without what differs from one run to the next. */
export async function billOf (root: string, packages: readonly Package[], date: Date): Promise<string> {
  const said = await askNpm(root, 'sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application')
  const { serialNumber: _, ...all } = JSON.parse(said) as Bill
  const taken = new Set(packages.map(({ name, version }) => `${name}@${version}`))
  const components = all.components.filter(({ name, version }) => taken.has(`${name}@${version}`))
    .map((each) => ({ ...each, properties: (each.properties ?? []).filter(({ name }) => name !== 'cdx:npm:package:development') }))
    .sort((a, b) => byBytes(a['bom-ref'], b['bom-ref']))
  const refs = new Set([all.metadata.component, ...components].map((each) => each['bom-ref']))
  const dependencies = all.dependencies.filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => refs.has(each)).sort(byBytes) }))
    .sort((a, b) => byBytes(a.ref, b.ref))
  const component = { ...all.metadata.component, name: 'consilium' }
  const metadata = { ...all.metadata, timestamp: date.toISOString(), component }
  return `${JSON.stringify({ ...all, metadata, components, dependencies }, null, 2)}\n`
}
