/** Why webhooks are refused, in the chosen language, from the facts of the incident that tells of it. */
import { type IncidentView, refusalReasons } from '@switchyard/contract';
import { useTranslation } from 'i18next-vue';
import { computed, type Ref } from 'vue';
import { formatDuration, formatList } from '../i18n/format.ts';

export function useRefusalWords(incident: Readonly<Ref<IncidentView | undefined>>) {
  const { t } = useTranslation();
  const until = computed(() => incident.value?.facts.until ?? incident.value?.resolvedAt ?? null);
  const cause = computed(() => {
    const named = String(incident.value?.facts.reasons ?? '').split(', ');
    return formatList(
      refusalReasons.filter((reason) => named.includes(reason)).map((reason) => t(`refusal.${reason}`)),
    );
  });
  const pausedMs = computed(() => Date.parse(String(until.value)) - Date.parse(String(incident.value?.facts.since)));
  return {
    /** Webhooks are refused now. */
    isPaused: computed(() => until.value === null),
    words: computed(() =>
      until.value === null
        ? t('incident.refusing', { cause: cause.value })
        : t('incident.refused', { cause: cause.value, time: formatDuration(pausedMs.value) }),
    ),
  };
}
