import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

import { mock } from './dev/mock.ts'

export default defineConfig(({ command }) => ({
  // PIXSORTD_URL sends /api to a running daemon; without it a made-up library answers.
  plugins: [svelte(), ...(command === 'serve' && !process.env['PIXSORTD_URL'] && !process.env['VITEST'] ? [mock()] : [])],
  server: { proxy: process.env['PIXSORTD_URL'] ? { '/api': process.env['PIXSORTD_URL'], '/schema': process.env['PIXSORTD_URL'] } : {} },
  // Pages name their files from the root, where the daemon puts its base path; scripts and styles name theirs relatively.
  experimental: { renderBuiltUrl: (file, { hostType }) => (hostType === 'html' ? `/${file}` : { relative: true }) },
  build: {
    outDir: '../pixsortd/api/page',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the content security policy allows no data: scripts or styles
    modulePreload: { polyfill: false },
    rollupOptions: { input: { page: 'index.html', docs: 'docs/index.html' } },
    chunkSizeWarningLimit: 1600, // swagger-ui, loaded by /docs alone
    license: { fileName: 'licenses.md' }, // of what is bundled
  },
  test: { include: ['tests/**/*.test.ts'] },
}))
