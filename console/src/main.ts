import './main.css';
import ui from '@nuxt/ui/vue-plugin';
import { VueQueryPlugin } from '@tanstack/vue-query';
import I18NextVue from 'i18next-vue';
import { createApp } from 'vue';
import App from './App.vue';
import { queryClient } from './api/query-client.ts';
import { startWords } from './i18n/index.ts';
import { router } from './router.ts';

const i18next = await startWords();
createApp(App).use(router).use(ui).use(VueQueryPlugin, { queryClient }).use(I18NextVue, { i18next }).mount('#app');
