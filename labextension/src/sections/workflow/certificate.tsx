import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { ICertificate } from '../../rest';
import { useServices } from '../../components/context';

/** How safely the server is reached, and what is wrong with its certificate. */
export function Encryption({ certificate }: { certificate: ICertificate }): React.JSX.Element {
  const { trans } = useServices();
  return (
    <>
      <dt>{trans.__('Encryption')}</dt>
      <dd data-state={certificate.state}>
        {certificateText(certificate, trans)}
        {certificate.state === 'failed' && (
          <div className="jp-Coflows-reasons">{failureText(certificate, trans)}</div>
        )}
      </dd>
    </>
  );
}

function certificateText(
  { source, issuer, ends, reason, state }: ICertificate,
  trans: TranslationBundle
): string {
  const until = new Date(ends).toLocaleDateString([], { dateStyle: 'medium' });
  switch (source) {
    case '':
      return reason;
    case 'temporary':
      return state === 'issuing'
        ? trans.__('https; a certificate is being asked for')
        : trans.__('https, with a certificate that nobody vouches for');
    case 'files':
      return trans.__('https, with your own certificate until %1', until);
    case 'letsencrypt':
      return trans.__('https, with a certificate of %1 until %2', issuer, until);
  }
}

function failureText({ reason, next_try }: ICertificate, trans: TranslationBundle): string {
  const text = trans.__('No new certificate could be had: %1.', reason);
  return next_try
    ? `${text} ${trans.__('It is tried again at %1.', new Date(next_try).toLocaleTimeString())}`
    : text;
}
