import { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  parseSearchWith,
  redirect,
  stringifySearchWith,
} from '@tanstack/react-router';
import { meQuery } from './api/me';
import { ProblemError, UnreachableError } from './api/problem';
import { lazyScreen } from './parts/lazily';
import { Failed, NotFound } from './shell/NotFound';
import { Shell } from './shell/Shell';
import * as searches from './searches';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // The service's word is final; what did not answer is listened for by the shell.
      retry: (failures, error) =>
        !(error instanceof UnreachableError) &&
        error instanceof ProblemError &&
        error.status === 503 &&
        failures < 3,
      retryDelay: (attempt) => 500 * 2 ** attempt,
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

const root = createRootRouteWithContext<{ client: QueryClient }>()({ notFoundComponent: NotFound });

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Shell,
  async beforeLoad({ context, location }) {
    const me = await context.client.ensureQueryData(meQuery).catch((error: unknown) => {
      // The shell shows that the service is away.
      if (error instanceof UnreachableError) return undefined;
      throw error;
    });
    if (me === null) {
      context.client.removeQueries({ queryKey: ['me'] });
      throw redirect({ to: '/sign-in', search: { next: location.href }, hash: '' });
    }
  },
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: searches.signIn,
  component: lazyScreen(() => import('./screens/sign-in/SignIn')),
});

const home = createRoute({
  getParentRoute: () => inside,
  path: '/',
  component: lazyScreen(() => import('./screens/home/Home')),
});

const segments = createRoute({
  getParentRoute: () => inside,
  path: '/segments',
  validateSearch: searches.segments,
  component: lazyScreen(() => import('./screens/segments/Segments')),
});

const segment = createRoute({
  getParentRoute: () => inside,
  path: '/segments/$slug',
  validateSearch: searches.segment,
  component: lazyScreen(() => import('./screens/segment/Segment')),
});

const users = createRoute({
  getParentRoute: () => inside,
  path: '/users',
  validateSearch: searches.users,
  component: lazyScreen(() => import('./screens/users/Users')),
});

const user = createRoute({
  getParentRoute: () => inside,
  path: '/users/$userId',
  validateSearch: searches.user,
  component: lazyScreen(() => import('./screens/user/User')),
});

const distribution = createRoute({
  getParentRoute: () => inside,
  path: '/distribution',
  validateSearch: searches.distribution,
  component: lazyScreen(() => import('./screens/distribution/Distribution')),
});

const statistics = createRoute({
  getParentRoute: () => inside,
  path: '/statistics',
  validateSearch: searches.statistics,
  component: lazyScreen(() => import('./screens/statistics/Statistics')),
});

const jobs = createRoute({
  getParentRoute: () => inside,
  path: '/jobs',
  validateSearch: searches.jobs,
  component: lazyScreen(() => import('./screens/jobs/Jobs')),
});

const job = createRoute({
  getParentRoute: () => inside,
  path: '/jobs/$jobId',
  component: lazyScreen(() => import('./screens/jobs/Job')),
});

const reports = createRoute({
  getParentRoute: () => inside,
  path: '/reports',
  validateSearch: searches.reports,
  component: lazyScreen(() => import('./screens/reports/Reports')),
});

const audit = createRoute({
  getParentRoute: () => inside,
  path: '/audit',
  validateSearch: searches.audit,
  component: lazyScreen(() => import('./screens/audit/Audit')),
});

const accounts = createRoute({
  getParentRoute: () => inside,
  path: '/accounts',
  validateSearch: searches.accounts,
  component: lazyScreen(() => import('./screens/accounts/Accounts')),
});

const account = createRoute({
  getParentRoute: () => inside,
  path: '/accounts/$accountId',
  component: lazyScreen(() => import('./screens/accounts/Account')),
});

const tokens = createRoute({
  getParentRoute: () => inside,
  path: '/tokens',
  component: lazyScreen(() => import('./screens/tokens/Tokens')),
});

const signInSettings = createRoute({
  getParentRoute: () => inside,
  path: '/sign-in-settings',
  component: lazyScreen(() => import('./screens/sign-in-settings/SignInSettings')),
});

const profile = createRoute({
  getParentRoute: () => inside,
  path: '/profile',
  component: lazyScreen(() => import('./screens/profile/Profile')),
});

const playground = createRoute({
  getParentRoute: () => inside,
  path: '/api-playground',
  validateSearch: searches.playground,
  component: lazyScreen(() => import('./screens/playground/Playground')),
});

/** Inside, so that whoever went astray has the sections before them. */
const nowhere = createRoute({ getParentRoute: () => inside, path: '$', component: NotFound });

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    inside.addChildren([
      home,
      segments,
      segment,
      users,
      user,
      distribution,
      statistics,
      jobs,
      job,
      reports,
      audit,
      accounts,
      account,
      tokens,
      signInSettings,
      profile,
      playground,
      nowhere,
    ]),
  ]),
  context: { client: queryClient },
  defaultPreload: 'intent',
  defaultErrorComponent: ({ error }) => <Failed error={error} />,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
  parseSearch: parseSearchWith(searches.exactly),
  stringifySearch: stringifySearchWith(JSON.stringify, searches.exactly),
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
