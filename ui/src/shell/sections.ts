import type { Permission } from '../api/me';

/** A section of the console: where it is, and which letter goes there after `g`. */
export interface Section {
  key:
    | 'home'
    | 'segments'
    | 'users'
    | 'distribution'
    | 'statistics'
    | 'jobs'
    | 'reports'
    | 'audit'
    | 'accounts'
    | 'tokens'
    | 'signInSettings'
    | 'profile'
    | 'api';
  to: string;
  letter: string;
  group: 'groupWork' | 'groupService' | 'groupAdministration';
  needs?: Permission;
}

export const SECTIONS: Section[] = [
  { key: 'home', to: '/', letter: 'h', group: 'groupWork' },
  { key: 'segments', to: '/segments', letter: 's', group: 'groupWork', needs: 'segments.read' },
  { key: 'users', to: '/users', letter: 'u', group: 'groupWork', needs: 'segments.read' },
  { key: 'distribution', to: '/distribution', letter: 'd', group: 'groupWork', needs: 'segments.read' },
  { key: 'statistics', to: '/statistics', letter: 't', group: 'groupWork', needs: 'segments.read' },
  { key: 'jobs', to: '/jobs', letter: 'j', group: 'groupService', needs: 'segments.read' },
  { key: 'reports', to: '/reports', letter: 'r', group: 'groupService', needs: 'data.export' },
  { key: 'api', to: '/api-playground', letter: 'i', group: 'groupService' },
  { key: 'accounts', to: '/accounts', letter: 'a', group: 'groupAdministration', needs: 'accounts.manage' },
  { key: 'tokens', to: '/tokens', letter: 'k', group: 'groupAdministration', needs: 'tokens.manage' },
  {
    key: 'signInSettings',
    to: '/sign-in-settings',
    letter: 'n',
    group: 'groupAdministration',
    needs: 'accounts.manage',
  },
  { key: 'audit', to: '/audit', letter: 'l', group: 'groupAdministration', needs: 'audit.read' },
  { key: 'profile', to: '/profile', letter: 'p', group: 'groupService' },
];
