import { LabIcon } from '@jupyterlab/ui-components';
import svgstr from '../style/coflows.svg';

export const coflowsIcon = new LabIcon({ name: 'coflows:logo', svgstr });
