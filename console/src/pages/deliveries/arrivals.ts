import { type Ref, ref, watch } from 'vue';

/**
 * Which rows have come in since the list was first shown, newest-first lists only. Ids sort by time, so rows loaded
 * from further back are not taken for new ones. `scope` names what is listed: another filter begins anew.
 */
export function useArrivals(rows: Ref<readonly { readonly id: string }[]>, scope: Ref<string>) {
  const arrived = ref(new Set<string>());
  let newest: string | null = null;
  watch(scope, () => {
    newest = null;
    arrived.value = new Set();
  });
  watch(
    rows,
    (now) => {
      const top = now[0]?.id;
      if (top === undefined) return;
      if (newest !== null) for (const { id } of now) if (id > newest) arrived.value.add(id);
      newest = top;
    },
    { immediate: true, flush: 'sync' },
  );
  return arrived;
}
