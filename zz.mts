import * as tf from '@tensorflow/tfjs';
import { ready, DCTCodec } from '/work/main/src/index.ts';
await ready({backend:'wasm'});
let s=1; const rnd=()=>{s=(Math.imul(s,1664525)+1013904223)>>>0; return (s+.5)/2**32;};
const gauss=()=>Math.sqrt(-2*Math.log(rnd()))*Math.cos(2*Math.PI*rnd());
const N=64; 
function field(){ const v=new Float32Array(N*N*4); const K=24; 
  const cs:any[]=[]; for(let k=0;k<K;k++){const r=new Float64Array(N);for(let i=0;i<N;i++)r[i]=Math.cos(Math.PI*k*(i+.5)/N);cs.push(r);}
  for(let c=0;c<4;c++){ const tmp:any[]=[]; for(let ky=0;ky<K;ky++){const row=new Float64Array(N); for(let kx=0;kx<K;kx++){const a=gauss()/Math.max(1,(kx*kx+ky*ky)); for(let i=0;i<N;i++)row[i]+=a*cs[kx][i];} tmp.push(row);} 
   for(let y=0;y<N;y++)for(let x=0;x<N;x++){let t=0;for(let ky=0;ky<K;ky++)t+=cs[ky][y]*tmp[ky][x]; v[(y*N+x)*4+c]=t;} } return v;}
const fs=Array.from({length:10},field);
const codec=new DCTCodec().blending;
for(let i=0;i<10;i++)(await codec.encode({values:fs[i],shape:[N,N,4]},.95)).dispose();
const w=performance.now(); for(let i=0;i<60;i++){(await codec.encode({values:fs[i%10],shape:[N,N,4]},.95)).dispose();} console.log((performance.now()-w)/60,'ms');
import { WavetableMatrix } from '/work/main/src/index.ts';
const cube=new WavetableMatrix(10,10,10,{resolution:64,channels:4}); for(let i=0;i<1000;i++){const v=fs[i%10].map(x=>x*(1+i/1000)); cube.setNode(Math.floor(i/100),Math.floor(i/10)%10,i%10,v);}
const c2=cube;
const t=performance.now(); let last=t; await c2.compressAll({method:'dct',quality:.95,onProgress:({done})=>{ if(done%200===0){const n=performance.now(); console.log(done,(n-last)/200); last=n;} if(done===400) throw new Error('x') }}).catch(e=>0);
