import { fileURLToPath } from 'node:url';
import ui from '@nuxt/ui/vite';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

/** Where a server runs while the console is worked on: `SERVER_URL=http://127.0.0.1:4300 npx vite console`. */
const serverUrl = process.env.SERVER_URL ?? 'http://127.0.0.1:3000';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/',
  plugins: [
    vue(),
    ui({
      // Bundled: otherwise each icon would be asked of a public server, from inside a private network.
      icon: { clientBundle: { scan: { globInclude: ['console/src/**/*.{vue,ts}', 'src/**/*.{vue,ts}'] } } },
      autoImport: false,
      components: { dts: 'src/components.generated.d.ts', dirs: [] },
      ui: {
        colors: { primary: 'teal', neutral: 'zinc' },
        dashboardPanel: { slots: { body: 'p-0 sm:p-0 gap-0 sm:gap-0' } },
      },
    }),
  ],
  server: { host: '127.0.0.1', port: 4320, proxy: { '/api': serverUrl } },
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2023', chunkSizeWarningLimit: 900 },
});
