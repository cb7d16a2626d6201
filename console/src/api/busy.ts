/** Whether the server has lately put us off because it is busy with messages. */
import { type Ref, readonly, ref } from 'vue';

/** After this without another refusal it counts as over. */
const overAfterMs = 8_000;

const state = ref(false);
let timer: ReturnType<typeof setTimeout> | undefined;

export const isServerBusy: Readonly<Ref<boolean>> = readonly(state);

export function noteBusy(): void {
  state.value = true;
  clearTimeout(timer);
  timer = setTimeout(() => {
    state.value = false;
  }, overAfterMs);
}
