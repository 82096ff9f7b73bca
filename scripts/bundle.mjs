/**
 * Bundles src/server.ts into bin/. What is not needed to answer the first request stays in chunks of its own, loaded by
 * dynamic imports. esbuild splits ES modules only, and Node 20 starts a CommonJS program about 8 ms and 1.4 MiB cheaper
 * than an ES one; so the chunks are split as modules first and each is then turned into CommonJS. Chunks that are loaded
 * at start anyway are put into the entry, which hands them to the others: a file costs about half a millisecond to load.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build, transform } from 'esbuild'

const root = path.resolve(import.meta.dirname, '..')
const bin = path.join(root, 'bin')
rmSync(bin, { recursive: true, force: true })
mkdirSync(bin, { recursive: true })

/**
 * MSAL signs with jsonwebtoken where an application has a certificate, and imports it for everybody. With what it needs it
 * takes half of the time and memory that loading MSAL takes, so it waits for the first signature.
 */
const lateJsonWebToken = {
  name: 'late-jsonwebtoken',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^jsonwebtoken$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'jsonwebtoken', namespace: 'late' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'late' }, () => ({
      contents: 'export default { sign: (...args) => require("jsonwebtoken").sign(...args) }',
      resolveDir: root,
    }))
  },
}

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
  plugins: [lateJsonWebToken],
  logLevel: 'warning',
})

const entry = 'bin/recovery-services-server.js'
const { outputs } = bundled.metafile
const textOf = output => bundled.outputFiles.find(file => path.relative(root, file.path) === output).text
const base = output => path.basename(output)

/** Outputs that `output` loads at start, each behind those it needs, itself last. */
const closure = output => {
  const order = []
  const visit = each => {
    if (order.includes(each)) return
    for (const { path: needed, kind, external } of outputs[each].imports)
      if (kind === 'import-statement' && !external) visit(needed)
    order.push(each)
  }
  visit(output)
  return order
}
const shared = closure(entry).filter(output => output !== entry)

const toCommonJs = async (output, isEntry) => {
  const { code } = await transform(textOf(output).replace(/^#!.*\n/, ''), {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    supported: { 'dynamic-import': false },
    // yargs asks where it lies.
    define: { 'import.meta.url': 'importMetaUrl' },
    minifySyntax: true,
    minifyWhitespace: true,
  })
  const own = code.includes('importMetaUrl')
    ? 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;'
    : ''
  return (
    own +
    code.replaceAll(/require\("\.{1,2}\/(?:chunks\/)?([\w-]+\.js)"\)/g, (_, file) => {
      if (shared.some(each => base(each) === file))
        return `${isEntry ? 'shared' : 'require("../recovery-services-server").shared'}["${file}"]`
      return `require("./${isEntry ? 'chunks/' : ''}${file}")`
    })
  )
}

mkdirSync(path.join(bin, 'chunks'))
let start = '#!/usr/bin/env node\nconst shared=exports.shared={};\n'
for (const output of shared)
  start += `shared["${base(output)}"]=(()=>{const module={exports:{}},{exports}=module;${await toCommonJs(output, true)}return module.exports})();\n`
writeFileSync(path.join(bin, 'recovery-services-server'), `${start}{${await toCommonJs(entry, true)}}\n`, {
  mode: 0o755,
})
for (const output of Object.keys(outputs))
  if (output !== entry && !shared.includes(output))
    writeFileSync(path.join(bin, 'chunks', base(output)), await toCommonJs(output, false))
writeFileSync(path.join(bin, 'package.json'), '{"type":"commonjs"}\n')

// The bundle carries other people's code, so it carries their licences too.
const packages = new Set(
  Object.keys(bundled.metafile.inputs).flatMap(file => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []),
)
const notices = [...packages].sort().map(name => {
  const folder = path.join(root, 'node_modules', name)
  const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find(each => /^licen[cs]e/i.test(each))
  if (!file) throw new Error(`${name} comes without the text of its licence`)
  const text = readFileSync(path.join(folder, file), 'utf8')
  return `${name} ${version} (${license})\n\n${text}`
})
writeFileSync(path.join(bin, 'THIRD-PARTY-LICENSES.txt'), notices.join(`\n${'-'.repeat(80)}\n`))
