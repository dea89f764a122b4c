import { useComputedColorScheme } from '@mantine/core';
import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use as register, type ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useImperativeHandle, useRef, type Ref } from 'react';
import type { ChartProps } from './Chart';

register([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

/** Okabe and Ito's palette, which the colour blind tell apart; its yellow is left out, and black for the ground's sake. */
const PALETTE = ['#0072b2', '#e69f00', '#009e73', '#d55e00', '#56b4e9', '#cc79a7'];

export interface PlotHandle {
  png(name: string): void;
}

interface PlotProps extends ChartProps {
  height: number;
  formatLabel: (label: string) => string;
  /** As below the axis, where there is little room. */
  formatTick: (label: string) => string;
  formatValue: (value: number) => string;
  ref?: Ref<PlotHandle>;
}

/** The picture of a chart. Only here the chart library is loaded. */
export default function Plot(props: PlotProps) {
  const {
    labels,
    series,
    height,
    formatLabel,
    formatTick,
    formatValue,
    isLying = false,
    isPercent = false,
    onPick,
    ref,
  } = props;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const isDark = useComputedColorScheme('light') === 'dark';
  useImperativeHandle(
    ref,
    () => ({
      png(name) {
        if (!chart.current) return;
        const link = document.createElement('a');
        link.href = chart.current.getDataURL({
          pixelRatio: 2,
          backgroundColor: isDark ? '#1a1b1e' : '#ffffff',
        });
        link.download = name;
        link.click();
      },
    }),
    [isDark],
  );

  useEffect(() => {
    if (!box.current) return undefined;
    const made = init(box.current);
    chart.current = made;
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    const ink = isDark ? '#c1c2c5' : '#495057';
    const line = isDark ? '#373a40' : '#dee2e6';
    const names = {
      type: 'category' as const,
      data: labels.map(formatLabel),
      inverse: isLying,
      axisLabel: {
        color: ink,
        hideOverlap: true,
        formatter: (_: string, place: number) => formatTick(labels[place] ?? ''),
        ...(isLying ? { width: 140, overflow: 'truncate' as const } : {}),
      },
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
    };
    const values = {
      type: 'value' as const,
      minInterval: isPercent ? 0 : 1,
      axisLabel: { color: ink, formatter: formatValue, hideOverlap: true },
      splitLine: { lineStyle: { color: line } },
    };
    chart.current?.setOption(
      {
        animation: false,
        color: PALETTE,
        textStyle: { fontFamily: 'inherit' },
        grid: { left: 8, right: 16, top: series.length > 1 ? 32 : 12, bottom: 4, containLabel: true },
        legend: { show: series.length > 1, top: 0, left: 0, textStyle: { color: ink } },
        tooltip: {
          trigger: 'axis',
          // As text on the canvas: markup with styles of its own is refused by the page's policy.
          renderMode: 'richText',
          valueFormatter: (value: unknown) => (typeof value === 'number' ? formatValue(value) : ''),
          axisPointer: { type: series.some((one) => one.kind === 'bar') ? 'shadow' : 'line' },
        },
        xAxis: isLying ? values : names,
        yAxis: isLying ? names : values,
        series: series.map((one) => ({
          type: one.kind,
          name: one.name,
          data: one.values,
          ...(one.stack ? { stack: one.stack } : {}),
          ...(one.color ? { itemStyle: { color: one.color }, lineStyle: { color: one.color } } : {}),
          ...(one.kind === 'line'
            ? { showSymbol: labels.length < 3, symbolSize: 6, step: 'end' as const }
            : { barMaxWidth: 28 }),
        })),
      },
      { notMerge: true },
    );
  });

  useEffect(() => {
    const made = chart.current;
    if (!made || !onPick) return undefined;
    const pick = (event: { dataIndex?: number }) => {
      const label = labels[event.dataIndex ?? -1];
      if (label !== undefined) onPick(label);
    };
    made.on('click', pick);
    return () => {
      // The picture may be gone before what listens to it.
      if (!made.isDisposed()) made.off('click', pick);
    };
  }, [labels, onPick]);

  return <div ref={box} style={{ height, width: '100%' }} aria-hidden />;
}
