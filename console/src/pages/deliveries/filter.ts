import { computed } from 'vue';
import { type LocationQueryValue, useRoute, useRouter } from 'vue-router';
import type { DeliveryFilter } from '../../api/deliveries.ts';

const states = ['stored', 'normalised', 'dead'] as const;

/** The filter lives in the address, so that a filtered list can be sent to a colleague. */
export function useDeliveryFilter() {
  const route = useRoute();
  const router = useRouter();
  const filter = computed<DeliveryFilter>(() => ({
    account: textOf(route.query.account),
    state: states.find((state) => state === route.query.state),
  }));
  const change = (part: Partial<DeliveryFilter>) => router.replace({ query: { ...route.query, ...part } });
  const isNarrowed = computed(() => filter.value.account !== undefined || filter.value.state !== undefined);
  return { filter, change, isNarrowed, states };
}

function textOf(value: LocationQueryValue | LocationQueryValue[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
