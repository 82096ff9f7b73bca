/**
 * Bundles src/server.ts into bin/. What is not needed to answer the first request stays in chunks of its own, loaded by
 * dynamic imports. esbuild splits ES modules only, and Node 20 starts a CommonJS program about 8 ms and 1.4 MiB cheaper
 * than an ES one; so the chunks are split as modules first and each is then turned into CommonJS.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build, transform } from 'esbuild'

const root = path.resolve(import.meta.dirname, '..')
const bin = path.join(root, 'bin')
rmSync(bin, { recursive: true, force: true })
mkdirSync(bin, { recursive: true })

const bundled = await build({
  absWorkingDir: root,
  entryPoints: { 'recovery-services-server': 'src/server.ts' },
  outdir: 'bin',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  write: false,
  metafile: true,
  minifySyntax: true,
  minifyWhitespace: true,
  chunkNames: 'chunks/[name]-[hash]',
  legalComments: 'none',
  logLevel: 'warning',
})

for (const file of bundled.outputFiles) {
  const isEntry = path.basename(file.path) === 'recovery-services-server.js'
  const { code } = await transform(file.text.replace(/^#!.*\n/, ''), {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    supported: { 'dynamic-import': false },
    minifySyntax: true,
    minifyWhitespace: true,
  })
  const target = isEntry ? path.join(bin, 'recovery-services-server') : file.path
  mkdirSync(path.dirname(target), { recursive: true })
  writeFileSync(target, isEntry ? `#!/usr/bin/env node\n${code}` : code)
  if (isEntry) chmodSync(target, 0o755)
}
writeFileSync(path.join(bin, 'package.json'), '{"type":"commonjs"}\n')

// The bundle carries other people's code, so it carries their licences too.
const packages = new Set(
  Object.keys(bundled.metafile.inputs).flatMap(file => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []),
)
const notices = [...packages].sort().map(name => {
  const folder = path.join(root, 'node_modules', name)
  const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const text = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license'].flatMap(file => {
    try {
      return [readFileSync(path.join(folder, file), 'utf8')]
    } catch {
      return []
    }
  })[0]
  return `${name} ${version} (${license})\n\n${text ?? ''}`
})
writeFileSync(path.join(bin, 'THIRD-PARTY-LICENSES.txt'), notices.join(`\n${'-'.repeat(80)}\n`))
